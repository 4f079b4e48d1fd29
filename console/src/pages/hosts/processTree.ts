// SPDX-License-Identifier: Apache-2.0
/** The processes that alarms carry, put together as one tree: who started whom, and which alarm is about which. */
import type { Schema } from '@/api/types';

export type ProcessFacts = Schema<'ProcessFacts'>;

export interface AlarmOf {
  id: string;
  title: string;
  severity: string;
  last: string;
  /** The acting process first, then its ancestors. */
  chain: readonly ProcessFacts[];
}

export interface Node {
  key: string;
  facts: ProcessFacts;
  /** Alarms about this very process. */
  alarms: Omit<AlarmOf, 'chain'>[];
  children: Node[];
}

/** A pid is used again; with its beginning it is one process. */
function keyOf(p: ProcessFacts): string {
  return `${p.pid ?? '?'} ${p.started_at} ${p.pid ? '' : p.exe}`;
}

/** Roots first as they came; alarms whose chain is empty are in none. */
export function treeOf(alarms: readonly AlarmOf[]): Node[] {
  const nodes = new Map<string, Node>();
  const hasParent = new Set<string>();
  for (const { chain, ...alarm } of alarms) {
    let below: Node | undefined;
    // One chain cannot meet itself again: a host that says so would make a ring.
    const met = new Set<string>();
    for (const facts of chain) {
      const key = keyOf(facts);
      if (met.has(key)) break;
      met.add(key);
      let node = nodes.get(key);
      if (!node) {
        node = { key, facts, alarms: [], children: [] };
        nodes.set(key, node);
      }
      if (!below) node.alarms.push(alarm);
      else if (!hasParent.has(below.key) && !isBelow(node, below)) {
        node.children.push(below);
        hasParent.add(below.key);
      }
      below = node;
    }
  }
  return [...nodes.values()].filter((n) => !hasParent.has(n.key));
}

function isBelow(node: Node, top: Node): boolean {
  return node === top || top.children.some((c) => isBelow(node, c));
}
