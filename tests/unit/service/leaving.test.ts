// Clients that go, or do not take what they asked for: nothing of them stays.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sample } from '../../support/samples.js';
import { startService, type TestService } from '../../support/service.js';
import { runService } from './auth-running.js';

function connected({ address }: TestService): Socket {
  const { hostname, port } = new URL(address);
  return connect(Number(port), hostname).on('error', () => undefined);
}

const metricsOf = async (service: TestService): Promise<string> => (await service.fetch('/metrics')).text();

describe('a client that goes', () => {
  it('while its key is checked gives back the room of its body', async () => {
    await using service = await startService();
    const socket = connected(service);
    // No key was checked yet: that takes longer than to see that the client has gone.
    const head = `POST /api/v1/detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${service.key}\r\nContent-Type: image/jpeg\r\nContent-Length: 4000000\r\n\r\n`;
    socket.write(head, () => socket.destroy());
    await once(socket, 'close');
    expect(await metricsOf(service)).toMatch(/^lineament_intake_bytes 0$/m);
  });

  it('before it is answered is counted, and in the log', async () => {
    await using service = await startService({ limits: { concurrency: 1 }, cache: { embeddings: 0 } });
    const { hostname, port } = new URL(service.address);
    const headers = { 'content-type': 'image/jpeg', authorization: `Bearer ${service.key}` };
    const picture = readFileSync(sample(1));
    const all = Array.from({ length: 3 }, () => {
      const asking = request({ hostname, port, path: '/api/v1/analyze', method: 'POST', headers });
      asking.on('error', () => undefined);
      asking.end(picture);
      return asking;
    });
    await expect.poll(() => metricsOf(service)).toMatch(/^lineament_queue_waiting [1-9]/m);
    for (const asking of all) asking.destroy();
    const line = 'lineament_http_requests_total{route="/api/v1/analyze",method="POST",status="499"} ';
    await expect.poll(async () => (await metricsOf(service)).includes(line)).toBe(true);
    expect(service.log.map((text) => JSON.parse(text) as unknown)).toContainEqual(
      expect.objectContaining({ message: 'request', route: '/api/v1/analyze', status: 499 }),
    );
    expect(await metricsOf(service)).toMatch(/^lineament_intake_bytes 0$/m);
  });
});

describe('a client that stays', () => {
  it('and reads no answer is let go', async () => {
    const service = await runService({ server: { requestTimeoutMs: 500 } });
    const connections = (): Promise<number> =>
      new Promise((resolve) => service.app.server.getConnections((_, count) => resolve(count)));
    const socket = connected(service).pause();
    // Some megabytes each: more than the system keeps for a connection.
    socket.write('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40));
    await expect.poll(connections).toBe(1);
    await expect.poll(connections).toBe(0);
    socket.destroy();
    await service.close();
  });
});

describe('the end of a service', () => {
  it('is not held up by a WebSocket whose client answers nothing', { timeout: 20_000 }, async () => {
    const service = await startService({ server: { drainMs: 300 } });
    const socket = connected(service);
    const headers = [
      'Host: x',
      `Authorization: Bearer ${service.key}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.from('a key of a test!').toString('base64')}`,
    ];
    socket.write(`GET /ws/events HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
    await service.close();
    socket.destroy();
  });

  it('is told to requests that still come, as a problem', async () => {
    const service = await startService();
    const photo = readFileSync(sample(1));
    const socket = connected(service);
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    const ended = once(socket, 'close');
    const head = `Host: x\r\nAuthorization: Bearer ${service.key}\r\n`;
    socket.write(
      `POST /api/v1/detect HTTP/1.1\r\n${head}Content-Type: image/jpeg\r\nExpect: 100-continue\r\nContent-Length: ${photo.length}\r\n\r\n`,
    );
    await expect.poll(() => answer).toMatch(/^HTTP\/1\.1 100 /);
    const closing = service.close();
    socket.write(Buffer.concat([photo, Buffer.from(`GET /api/v1/persons HTTP/1.1\r\n${head}\r\n`)]));
    await Promise.all([ended, closing]);
    expect(answer).toMatch(/HTTP\/1\.1 200 /);
    const refused = answer.slice(answer.indexOf('HTTP/1.1 503 '));
    expect(refused).toMatch(/^content-type: application\/problem\+json/m);
    expect(refused).toContain('"code":"CLOSED"');
  });
});
