// SPDX-License-Identifier: Apache-2.0
/** `exec+open+write` as configured beside what is in force: one entry for each sensor of either. */
export interface Sensor {
  name: string;
  configured: boolean;
  effective: boolean;
}

function parts(text: string): string[] {
  return text.split('+').map((p) => p.trim()).filter((p) => p !== '' && p !== 'none');
}

export function sensorsOf(configured: string, effective: string): Sensor[] {
  const [wanted, there] = [parts(configured), parts(effective)];
  return [...new Set([...wanted, ...there])].map((name) => ({ name, configured: wanted.includes(name), effective: there.includes(name) }));
}
