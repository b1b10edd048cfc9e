// Facts about the machine that every result file states.
import os from 'node:os';

/** @returns {{cpu:string, threads:number, load:number[], node:string, memory:number}} CPU model, logical CPUs, load averages, Node version, memory in MiB */
export function machine() {
  const cpus = os.cpus();
  return {
    cpu: (cpus[0]?.model ?? 'unknown').trim(),
    threads: cpus.length,
    load: os.loadavg().map((x) => Math.round(x * 100) / 100),
    node: process.version,
    memory: Math.round(os.totalmem() / 2 ** 20),
  };
}
