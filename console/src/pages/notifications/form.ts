// SPDX-License-Identifier: Apache-2.0
/** A target's settings as a form has them, and back. */
import type { Schema } from '@/api/types';

export type Settings = Schema<'TargetSettings'>;
export type Kind = Schema<'TargetKind'>;
export const KINDS: readonly Kind[] = ['email', 'webhook', 'syslog', 'http', 'file'];

export interface Fields {
  kind: Kind;
  name: string;
  project: string;
  enabled: boolean;
  /** Of mails. */
  server?: string;
  port?: number | null;
  security?: Schema<'MailSecurity'>;
  user?: string;
  from?: string;
  to?: string[];
  /** Of web hooks and HTTP. */
  url?: string;
  /** Of files. */
  file?: string;
  max_megabytes?: number;
  keep?: number;
  /** Of syslog. */
  format?: Schema<'ExportFormat'>;
  facility?: number;
  authority?: string;
  /** Empty: stays as it is. */
  secret?: string;
  forget?: boolean;
  severities: Schema<'TargetSeverity'>[];
  masked_classes: string[];
  tests: boolean;
  handlings: boolean;
  mode?: Schema<'DeliveryMode'>;
  hour?: number | null;
  zone?: string;
  per_minute?: number | null;
}

export const speaksToPeople = (kind: Kind) => kind === 'email' || kind === 'webhook';
export const EVERYWHERE = '*';

export const FRESH: Omit<Fields, 'project'> = {
  kind: 'email', name: '', enabled: true, security: 'starttls', severities: ['high', 'critical'], masked_classes: [], tests: false, handlings: false,
  mode: 'real_time', max_megabytes: 100, keep: 10, format: 'ocsf', facility: 16,
};

export function fieldsOf(target: Schema<'Target'>): Fields {
  const s = target.settings;
  const { email, webhook, http, file, syslog } = s;
  return {
    ...FRESH,
    kind: target.kind,
    name: target.name,
    project: target.project ?? EVERYWHERE,
    enabled: target.enabled,
    server: email?.server ?? syslog?.server,
    port: email?.port ?? syslog?.port,
    security: email?.security ?? 'starttls',
    user: email?.user ?? undefined,
    from: email?.from,
    to: email?.to,
    url: webhook?.url ?? http?.url,
    file: file?.name,
    max_megabytes: file?.max_megabytes ?? 100,
    keep: file?.keep ?? 10,
    format: syslog?.format ?? 'ocsf',
    facility: syslog?.facility ?? 16,
    authority: (email ?? webhook ?? http ?? syslog)?.authority ?? undefined,
    severities: s.filter?.severities ?? [],
    masked_classes: s.filter?.masked_classes ?? [],
    tests: s.filter?.tests ?? true,
    handlings: s.filter?.handlings ?? false,
    mode: s.delivery?.mode ?? 'real_time',
    hour: s.delivery?.hour,
    zone: s.delivery?.zone ?? undefined,
    per_minute: s.delivery?.per_minute,
  };
}

const text = (value: string | undefined): string | undefined => value?.trim() || undefined;

export function settingsOf(f: Fields): Settings {
  const authority = text(f.authority);
  const people = speaksToPeople(f.kind);
  const filter = { severities: f.severities, masked_classes: f.masked_classes, tests: f.tests, handlings: people && f.handlings };
  const daily = f.mode === 'daily';
  const delivery = {
    mode: f.mode ?? 'real_time',
    hour: daily ? (f.hour ?? null) : null,
    zone: daily ? (text(f.zone) ?? null) : null,
    per_minute: daily ? null : (f.per_minute ?? null),
  };
  const common = { filter, ...(people ? { delivery } : {}) };
  switch (f.kind) {
    case 'email':
      return { ...common, email: { server: text(f.server) ?? '', port: f.port ?? undefined, security: f.security, user: text(f.user), from: text(f.from) ?? '', to: f.to ?? [], authority } };
    case 'webhook':
      return { ...common, webhook: { url: text(f.url) ?? '', authority } };
    case 'http':
      return { ...common, http: { url: text(f.url) ?? '', authority } };
    case 'syslog':
      return { ...common, syslog: { server: text(f.server) ?? '', port: f.port ?? undefined, format: f.format, facility: f.facility, authority } };
    case 'file':
      return { ...common, file: { name: text(f.file) ?? '', max_megabytes: f.max_megabytes, keep: f.keep } };
  }
}

/** Password or token, by kind; absent: stays; empty: goes. */
export function secretsOf(f: Fields): { password?: string; token?: string } {
  const value = f.forget ? '' : text(f.secret);
  if (value === undefined) return {};
  if (f.kind === 'email') return { password: value };
  return f.kind === 'http' ? { token: value } : {};
}

/** Where messages go, in a line. */
export function placeOf(s: Settings): string {
  if (s.email) return s.email.to.join(', ');
  if (s.syslog) return `${s.syslog.server}:${s.syslog.port ?? 6514}`;
  return s.webhook?.url ?? s.http?.url ?? s.file?.name ?? '';
}
