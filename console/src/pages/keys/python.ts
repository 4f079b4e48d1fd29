// SPDX-License-Identifier: Apache-2.0
/** Lines of Python that point a program of the Huawei Cloud SDK at this server. */
import type { Grant } from '@/app/permissions';

/** The project that the SDK is given: one in which the key has rights, the first one of the server if nothing is known. */
export function projectFor(grants: readonly Grant[], projects: readonly string[]): string {
  return grants.find((g) => g.project !== '*')?.project ?? projects[0] ?? '0';
}

/** `ak` and `sk` are the program's to read: a secret has no place in its text. */
export function pythonLines(origin: string, project: string): string {
  return [
    'from huaweicloudsdkcore.auth.credentials import BasicCredentials',
    'from huaweicloudsdkcore.http.http_config import HttpConfig',
    'from huaweicloudsdkhss.v5 import HssClient',
    `builder = HssClient.new_builder().with_endpoints([${JSON.stringify(origin)}])`,
    'builder = builder.with_http_config(HttpConfig(ssl_ca_cert="ca.pem"))',
    `client = builder.with_credentials(BasicCredentials(ak, sk, ${JSON.stringify(project)})).build()`,
  ].join('\n');
}
