import { ImportError } from '../error.js';
import type { Weight } from '../weights.js';

interface AttrValue {
  readonly s?: string;
  readonly i?: string | number;
  readonly b?: boolean;
  readonly type?: string;
  readonly list?: { readonly s?: readonly string[]; readonly i?: readonly (string | number)[] };
}

/** A node of a TensorFlow.js graph model (the JSON form of TensorFlow's NodeDef). */
export interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, AttrValue>>;
}

/** A parsed graph model. */
export interface GraphModel {
  readonly origin: string;
  readonly nodes: ReadonlyMap<string, TfNode>;
  readonly weights: ReadonlyMap<string, Weight>;
}

/** The nodes of a model.json. Throws `SOURCE_CORRUPT` where it is not a graph model. */
export function parseGraphModel(json: unknown, weights: ReadonlyMap<string, Weight>, origin: string): GraphModel {
  const topology = (json as { modelTopology?: { node?: unknown } } | null)?.modelTopology?.node;
  if (!Array.isArray(topology)) {
    throw new ImportError('SOURCE_CORRUPT', `${origin}: not a TensorFlow.js graph model (no modelTopology.node)`);
  }
  const nodes = new Map<string, TfNode>();
  for (const node of topology as TfNode[]) nodes.set(node.name, node);
  return { origin, nodes, weights };
}

const text = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

/** A string attribute (stored as base64). */
export function stringAttr(node: TfNode, name: string): string {
  return text(node.attr?.[name]?.s ?? '');
}

/** A list of strings. */
export function stringsAttr(node: TfNode, name: string): string[] {
  return (node.attr?.[name]?.list?.s ?? []).map(text);
}

/** An integer attribute (stored as a decimal string). */
export function intAttr(node: TfNode, name: string, fallback = 0): number {
  const value = node.attr?.[name]?.i;
  return value === undefined ? fallback : Number(value);
}

/** A list of integers. */
export function intsAttr(node: TfNode, name: string): number[] {
  return (node.attr?.[name]?.list?.i ?? []).map(Number);
}

/** A boolean attribute. */
export function boolAttr(node: TfNode, name: string): boolean {
  return node.attr?.[name]?.b ?? false;
}

/** A type attribute such as DT_FLOAT. */
export function typeAttr(node: TfNode, name: string): string {
  return node.attr?.[name]?.type ?? '';
}
