import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RtspOptions {
  /** H.264 file that is played over and over, in real time. */
  readonly video: string;
  /** The port of an earlier one, to come back there; a free one when absent. */
  readonly port?: number;
  readonly login?: { readonly kind: 'basic' | 'digest'; readonly user: string; readonly password: string };
}

/** A small RTSP server (RFC 2326) with one H.264 stream, over TCP (interleaved) or UDP, packets by courtesy of ffmpeg. */
export interface RtspServer {
  readonly port: number;
  /** Address without user and password. */
  readonly url: string;
  /** Players that are served now. */
  readonly playing: number;
  /** How the last player asked for its packets. */
  readonly transport: 'tcp' | 'udp' | undefined;
  /** Ends everything at once, without a word to the players. Idempotent. */
  kill(): Promise<void>;
  /** Goes silent: connections stay, packets do not come any more. */
  mute(): void;
}

const REALM = 'lineament';

export async function startRtspServer(options: RtspOptions): Promise<RtspServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lineament-rtsp-'));
  const [rtp, rtcp] = [await bound(), await bound()];
  const sdpFile = join(folder, 'stream.sdp');
  const feeder = feed(options.video, sdpFile, rtp.address().port);
  const state = { killed: false, muted: false, transport: undefined as 'tcp' | 'udp' | undefined };
  const sessions = new Set<Session>();
  const server = createServer((socket) => {
    const session = new Session(socket, options.login, () => describe(sdpFile), rtp, state);
    sessions.add(session);
    socket.once('close', () => sessions.delete(session));
  });
  rtp.on('message', (packet) => {
    if (!state.muted) for (const session of sessions) session.send(packet);
  });
  await describe(sdpFile);
  await listen(server, options.port ?? 0);
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `rtsp://127.0.0.1:${port}/stream`,
    get playing() {
      return [...sessions].filter((s) => s.playing).length;
    },
    get transport() {
      return state.transport;
    },
    mute: () => {
      state.muted = true;
    },
    async kill() {
      if (state.killed) return;
      state.killed = true;
      const gone = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await gone;
      rtp.close();
      rtcp.close();
      if (feeder.exitCode === null && feeder.signalCode === null) {
        feeder.kill('SIGKILL');
        await new Promise((resolve) => feeder.once('exit', resolve));
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function feed(video: string, sdpFile: string, port: number): ChildProcess {
  const args = `-nostdin -loglevel error -re -stream_loop -1 -i ${video} -an -c:v copy -f rtp -sdp_file ${sdpFile}`;
  return spawn('ffmpeg', [...args.split(' '), `rtp://127.0.0.1:${port}?pkt_size=1316`], { stdio: 'ignore' });
}

/** The description that ffmpeg wrote, once it is whole. */
async function describe(sdpFile: string): Promise<string> {
  for (let i = 0; i < 1200; i++) {
    const sdp = await readFile(sdpFile, 'utf8').catch(() => '');
    if (sdp.includes('sprop-parameter-sets') && sdp.endsWith('\n')) {
      const lines = sdp.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('SDP:'));
      return `${lines.map((line) => line.replace(/^m=video \d+/, 'm=video 0')).join('\r\n')}\r\na=control:track0\r\n`;
    }
    await sleep(25);
  }
  throw new Error('ffmpeg wrote no description of the stream');
}

async function bound(): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  return socket;
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** One connection. */
class Session {
  playing = false;
  readonly #socket: Socket;
  readonly #login: RtspOptions['login'];
  readonly #describe: () => Promise<string>;
  readonly #udp: UdpSocket;
  readonly #state: { transport: 'tcp' | 'udp' | undefined };
  readonly #nonce = md5(`${Math.random()}`);
  #text = '';
  /** Where packets go: a channel of the connection, or a port. */
  #way: { readonly channel: number } | { readonly port: number } | undefined;

  constructor(
    socket: Socket,
    login: RtspOptions['login'],
    describeStream: () => Promise<string>,
    udp: UdpSocket,
    state: { transport: 'tcp' | 'udp' | undefined },
  ) {
    this.#socket = socket;
    this.#login = login;
    this.#describe = describeStream;
    this.#udp = udp;
    this.#state = state;
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => this.destroy());
  }

  destroy(): void {
    this.playing = false;
    this.#socket.destroy();
  }

  send(packet: Uint8Array): void {
    if (!this.playing || this.#way === undefined) return;
    if ('port' in this.#way) {
      this.#udp.send(packet, this.#way.port, '127.0.0.1');
      return;
    }
    const head = Buffer.from([0x24, this.#way.channel, packet.length >> 8, packet.length & 255]);
    this.#socket.write(Buffer.concat([head, packet]));
  }

  #read(bytes: Buffer): void {
    // Receiver reports of the player come between requests: `$`, a channel, a length.
    let rest = Buffer.concat([Buffer.from(this.#text, 'latin1'), bytes]);
    while (rest.length > 0) {
      if (rest[0] === 0x24) {
        const length = rest.length < 4 ? Infinity : 4 + rest.readUInt16BE(2);
        if (rest.length < length) break;
        rest = rest.subarray(length);
        continue;
      }
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) break;
      void this.#answer(rest.subarray(0, end).toString('latin1'));
      rest = rest.subarray(end + 4);
    }
    this.#text = rest.toString('latin1');
  }

  async #answer(request: string): Promise<void> {
    const [first = '', ...lines] = request.split('\r\n');
    const [method = '', uri = ''] = first.split(' ');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const reply = (status: string, more: readonly string[] = [], body = ''): void => {
      const head = [`RTSP/1.0 ${status}`, `CSeq: ${headers.get('cseq') ?? 0}`, ...more];
      if (body !== '') head.push('Content-Type: application/sdp', `Content-Length: ${Buffer.byteLength(body)}`);
      if (!this.#socket.destroyed) this.#socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    };
    if (method === 'OPTIONS') {
      reply('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
      return;
    }
    if (!this.#allowed(method, headers.get('authorization'))) {
      const basic = this.#login?.kind === 'basic';
      reply('401 Unauthorized', [
        `WWW-Authenticate: ${basic ? `Basic realm="${REALM}"` : `Digest realm="${REALM}", nonce="${this.#nonce}"`}`,
      ]);
      return;
    }
    if (!/\/stream(?:\/track0)?\/?$/.test(uri)) {
      reply('404 Not Found');
      return;
    }
    switch (method) {
      case 'DESCRIBE':
        reply('200 OK', [`Content-Base: ${uri}/`], await this.#describe());
        return;
      case 'SETUP': {
        const wanted = headers.get('transport') ?? '';
        const channel = /interleaved=(\d+)/.exec(wanted)?.[1];
        const port = /client_port=(\d+)/.exec(wanted)?.[1];
        this.#way = channel === undefined ? { port: Number(port) } : { channel: Number(channel) };
        this.#state.transport = channel === undefined ? 'udp' : 'tcp';
        const own = this.#udp.address().port;
        const more = channel === undefined ? `;server_port=${own}-${own + 1}` : '';
        reply('200 OK', [`Transport: ${wanted}${more}`, 'Session: 1']);
        return;
      }
      case 'PLAY':
        reply('200 OK', ['Session: 1']);
        this.playing = true;
        return;
      case 'TEARDOWN':
        this.playing = false;
        reply('200 OK', ['Session: 1']);
        return;
      case 'GET_PARAMETER':
        reply('200 OK', ['Session: 1']);
        return;
      default:
        reply('501 Not Implemented');
    }
  }

  #allowed(method: string, given = ''): boolean {
    const login = this.#login;
    if (login === undefined) return true;
    if (login.kind === 'basic') {
      return given === `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
    }
    const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(given)?.[1] ?? '';
    const secret = md5(`${login.user}:${REALM}:${login.password}`);
    return (
      field('nonce') === this.#nonce &&
      field('response') === md5(`${secret}:${this.#nonce}:${md5(`${method}:${field('uri')}`)}`)
    );
  }
}
