// SPDX-License-Identifier: Apache-2.0
/** Things by a word of theirs, in the order in which the words come. */
export function sorted<T extends { id: string }>(things: readonly T[], wordOf: (thing: T) => string): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const thing of things) {
    const word = wordOf(thing);
    const ids = found.get(word);
    if (ids) ids.push(thing.id);
    else found.set(word, [thing.id]);
  }
  return [...found];
}
