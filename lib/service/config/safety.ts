/** What a configuration must not be, and what it had better not be. */
import { isIP } from 'node:net';
import { LineamentError } from '../../errors.js';
import type { ServiceConfig } from './types.js';

/** Whether an address is seen from this machine alone. A name other than `localhost` is not: it may mean anything tomorrow. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (plain === 'localhost') return true;
  if (isIP(plain) === 4) return plain.startsWith('127.');
  return plain === '::1' || plain.startsWith('::ffff:127.');
}

/** Refuses what is dangerous. @throws LineamentError CONFIG_INVALID */
export function refuseDanger(config: ServiceConfig): void {
  const { server, auth } = config;
  const refuse = (detail: string, fix: string): never => {
    throw new LineamentError('CONFIG_INVALID', detail, { fix });
  };
  if (!isLoopback(server.host)) {
    if (!auth.enabled) {
      refuse(
        `auth.enabled is false, and ${server.host} is no loopback address: everybody could read and erase the gallery`,
        'Leave auth.enabled true, or listen at 127.0.0.1.',
      );
    }
    if (auth.anonymous.some((scope) => scope !== 'read')) {
      refuse(
        `auth.anonymous lets everybody ${auth.anonymous.filter((scope) => scope !== 'read').join(' and ')}, and ${server.host} is no loopback address`,
        'Allow read at most, or listen at 127.0.0.1.',
      );
    }
  }
  for (const origin of config.cors.origins) {
    if (origin === '*') continue;
    let canonical: string | undefined;
    try {
      canonical = new URL(origin).origin;
    } catch {
      // said below
    }
    if (canonical !== origin) {
      refuse(
        `cors.origins has '${origin}', which is no origin`,
        'Write scheme, host and port alone, such as https://app.example.org.',
      );
    }
  }
  if (config.limits.imageBytes > config.limits.bodyBytes) {
    refuse(
      'limits.image_bytes is above limits.body_bytes, so that no such picture could come',
      'Raise limits.body_bytes.',
    );
  }
  const ids = config.cameras.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) refuse(`cameras has '${twice}' twice`, 'Give each camera an id of its own.');
}

/** What the service does but does not like, each with what to do. */
export function warningsOf({ server, auth, cors }: ServiceConfig): readonly string[] {
  const said: string[] = [];
  if (!isLoopback(server.host) && server.tls === undefined && server.trustProxy.length === 0) {
    said.push(
      `keys and pictures travel unencrypted to ${server.host}: set server.tls, or put a proxy with TLS in front and name its address in server.trust_proxy`,
    );
  }
  if (!auth.enabled) said.push('auth.enabled is false: every program on this machine may do everything');
  if (cors.origins.includes('*'))
    said.push("cors.origins has '*': web pages of everybody may call the service; name the origins that need it");
  return said;
}
