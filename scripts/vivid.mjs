// Boots a small Linux guest whose kernel has vivid, a driver that behaves like a camera, and runs programs of this checkout in it:
// V4L2 as it really is, on machines without a camera. Nothing outside out/oracles/vivid is written; the guest sees the host's files
// without being able to change them.
//   node scripts/vivid.mjs     prints what the guest reports
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runOrThrow } from './lib/run.mjs';

const folder = path.join(root, 'out', 'oracles', 'vivid');
const QEMU = 'qemu-system-x86_64';

/** What a camera driver and the host's files need, in the order in which they are loaded; vivid's own come from modules.dep. */
const FILES = ['9pnet_virtio', 'virtio_pci', '9p'];

/** Two cameras: one with the interface for pictures in one piece, one with that for several planes. */
const VIVID = 'n_devs=2 node_types=0x1,0x1 multiplanar=1,2';

/** Where scripts/install-oracles.sh has unpacked a kernel. */
function kernel() {
  const unpacked = path.join(folder, 'kernel');
  const boot = path.join(unpacked, 'boot');
  const image = existsSync(boot) ? readdirSync(boot).find((name) => name.startsWith('vmlinuz-')) : undefined;
  if (image === undefined) return undefined;
  const version = image.slice('vmlinuz-'.length);
  return { unpacked, image: path.join(boot, image), modules: path.join(unpacked, 'lib', 'modules', version), version };
}

async function there(command) {
  return (await run(command, ['--version']).catch(() => undefined)) !== undefined;
}

/** What is missing for a guest, as text; undefined where it can be booted. */
export async function missingForVivid() {
  if (process.arch !== 'x64' || process.platform !== 'linux') return 'not Linux on x86-64';
  for (const command of [QEMU, 'cpio', 'depmod', 'busybox']) if (!(await there(command))) return `no ${command}`;
  if (kernel() === undefined) return 'no kernel in out/oracles/vivid';
  return undefined;
}

/** The modules that have to be loaded for `names`, in order. */
function withDependencies(modules, names) {
  const lines = readFileSync(path.join(modules, 'modules.dep'), 'utf8').trim().split('\n');
  const dependencies = new Map(
    lines.map((line) => [line.split(':')[0], line.split(':')[1].trim().split(' ').filter(Boolean)]),
  );
  const nameOf = (file) =>
    path
      .basename(file)
      .replace(/\.ko.*$/, '')
      .replaceAll('-', '_');
  const files = new Map([...dependencies.keys()].map((file) => [nameOf(file), file]));
  const order = [];
  for (const name of names) {
    const file = files.get(name);
    if (file === undefined) continue; // built into the kernel
    // modules.dep names what is needed from the nearest to the deepest.
    for (const one of [...dependencies.get(file).toReversed(), file]) if (!order.includes(one)) order.push(one);
  }
  return order;
}

function initScript(modules, command) {
  const load = (file) => `insmod /modules/${path.basename(file)}${file.endsWith('/vivid.ko') ? ` ${VIVID}` : ''}`;
  return `#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /host
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
${modules.map(load).join('\n')}
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 root /host || echo 'the files of the host cannot be seen'
for part in proc sys dev; do mount --bind /$part /host/$part; done
mount -t tmpfs none /host/tmp
mkdir -p /dev/shm && mount -t tmpfs none /dev/shm
stty -F /dev/ttyS1 raw
chroot /host /bin/sh -c '${command}' > /dev/ttyS1 2>&1
echo "vivid: status $?" > /dev/ttyS1
sync
poweroff -f
`;
}

async function initramfs(found, command) {
  const tree = path.join(folder, 'initramfs');
  rmSync(tree, { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'modules']) mkdirSync(path.join(tree, name), { recursive: true });
  if (!existsSync(path.join(found.modules, 'modules.dep'))) {
    await runOrThrow('Listing modules', 'depmod', ['-b', found.unpacked, found.version]);
  }
  const modules = withDependencies(found.modules, [...FILES, 'vivid']);
  for (const file of modules)
    copyFileSync(path.join(found.modules, file), path.join(tree, 'modules', path.basename(file)));
  const busybox = (process.env.PATH ?? '')
    .split(':')
    .map((dir) => path.join(dir, 'busybox'))
    .find(existsSync);
  copyFileSync(busybox, path.join(tree, 'bin', 'busybox'));
  writeFileSync(path.join(tree, 'init'), initScript(modules, command));
  for (const name of ['init', 'bin/busybox']) chmodSync(path.join(tree, name), 0o755);
  const image = path.join(folder, 'initramfs.cpio');
  await runOrThrow('Packing the guest', 'sh', ['-c', `cd '${tree}' && find . | cpio -o -H newc --quiet > '${image}'`]);
  return image;
}

/**
 * Boots the guest and runs a shell command in it, with the host's files around it and /dev/video0 and /dev/video1 there. Gives what it
 * wrote; throws when it failed, with the kernel's messages.
 */
export async function runInGuest(command, { seconds = 600 } = {}) {
  const found = kernel();
  mkdirSync(folder, { recursive: true });
  const image = await initramfs(found, command);
  const said = path.join(folder, 'said.txt');
  rmSync(said, { force: true });
  const args = [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'Haswell', '-m', '2048', '-smp', '2', '-nic', 'none', '-no-reboot'],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-serial', `file:${said}`],
    ...['-kernel', found.image, '-initrd', image, '-append', 'console=ttyS0 quiet panic=-1'],
    ...['-virtfs', 'local,path=/,mount_tag=root,security_model=none,multidevs=remap,readonly=on'],
  ];
  const messages = await new Promise((resolve, reject) => {
    const guest = spawn(QEMU, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const timer = setTimeout(() => guest.kill('SIGKILL'), seconds * 1000);
    for (const stream of [guest.stdout, guest.stderr]) stream.on('data', (bytes) => (output += bytes));
    guest.on('error', reject);
    guest.on('close', () => {
      clearTimeout(timer);
      resolve(output);
    });
  });
  const text = existsSync(said) ? readFileSync(said, 'utf8').replaceAll('\r', '') : '';
  const status = /^vivid: status (\d+)\s*$/m.exec(text)?.[1];
  if (status !== '0') {
    throw new Error(
      `The guest ended with status ${status ?? 'unknown'}\n${text.slice(-4000)}\n${messages.slice(-4000)}`,
    );
  }
  return text;
}

/** Builds native/tests/capture/test_v4l2_vivid.cpp, which talks to the driver without Node. */
export async function buildNativeProgram() {
  const { capture_linux: linux } = JSON.parse(readFileSync(path.join(root, 'native', 'sources.json'), 'utf8'));
  mkdirSync(folder, { recursive: true });
  const program = path.join(folder, 'test_v4l2_vivid');
  const others = ['core/status', 'capture/frame_ring', 'capture/shared_memory', 'tests/capture/test_v4l2_vivid'];
  const sources = [...linux, ...others.map((name) => `native/${name}.cpp`)];
  const flags = ['-std=c++20', '-O1', '-march=x86-64-v2', '-Inative', '-pthread', '-o', program];
  // As make understands it: a program, and perhaps what goes before its arguments ('ccache g++').
  const [compiler, ...first] = (process.env.CXX ?? 'c++').split(' ');
  await runOrThrow('Building the native program', compiler, [...first, ...flags, ...sources]);
  return program;
}

/** Runs the native program and the measurements of scripts/vivid-guest.mjs; gives the program's output and the report. */
export async function measureVivid() {
  const program = await buildNativeProgram();
  const guest = path.join(root, 'scripts', 'vivid-guest.mjs');
  const text = await runInGuest(`cd ${root}; LINEAMENT_VIVID=1 ${program}; ${process.execPath} ${guest}`);
  const json = /^vivid: report (.*)$/m.exec(text)?.[1];
  if (json === undefined) throw new Error(`The guest gave no report\n${text.slice(-4000)}`);
  return { program: text.slice(0, text.indexOf('vivid: report')), report: JSON.parse(json) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const missing = await missingForVivid();
  if (missing !== undefined) {
    console.error(`vivid: ${missing}; run scripts/install-oracles.sh`);
    process.exit(1);
  }
  const { program, report } = await measureVivid();
  console.log(program);
  console.log(JSON.stringify(report, null, 2));
}
