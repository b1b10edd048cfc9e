/**
 * Which strangers are one person: agglomerative clustering with average linkage (Sneath and Sokal, "Numerical Taxonomy", 1973), where
 * additionally no two looks of a cluster may be farther apart than a bound (complete linkage) and pairs that cannot be one person are never
 * joined (Davidson and Ravi, "Agglomerative hierarchical clustering with constraints", PKDD 2005). Single links never suffice: chains of
 * them are how everybody ends up in one cluster.
 */
import { dot } from './evidence.js';

export interface ClusterLook {
  readonly vector: Float32Array;
  /** > 0. */
  readonly weight: number;
}

export interface ClusterPerson {
  readonly id: string;
  readonly looks: readonly ClusterLook[];
  /** Given by people: two with different names are two. */
  readonly name?: string;
  /** The oldest keeps its id where nobody has a name. */
  readonly since: number;
}

export interface ClusterRules {
  /** Least weighted mean cosine between two clusters' looks. */
  readonly average: number;
  /** Least cosine of any two looks in one cluster. */
  readonly least: number;
  /** Most persons in one new cluster. */
  readonly most: number;
  isApart(a: string, b: string): boolean;
}

export interface PlannedMerge {
  readonly into: string;
  readonly from: string;
  /** Mean and least cosine between the looks of the two clusters. */
  readonly average: number;
  readonly least: number;
}

/** Persons who were not joined although they are near enough. */
export interface HeldBack {
  readonly persons: readonly string[];
  /**
   * `apart`: they were seen at the same time, or somebody said so. `names`: they have different names. `size`: the cluster would
   * hold too many. `hub`: their looks resemble too many who do not resemble each other.
   */
  readonly reason: 'apart' | 'names' | 'size' | 'hub';
}

export interface ClusterPlan {
  /** In the order in which they are to be done. */
  readonly merges: readonly PlannedMerge[];
  readonly heldBack: readonly HeldBack[];
}

class Cluster {
  readonly members: readonly ClusterPerson[];
  readonly looks: readonly ClusterLook[];
  readonly weight: number;
  readonly #sum: Float64Array;

  constructor(members: readonly ClusterPerson[]) {
    this.members = members;
    this.looks = members.flatMap(({ looks }) => looks);
    this.weight = this.looks.reduce((total, { weight }) => total + weight, 0);
    const sum = new Float64Array(this.looks[0]?.vector.length ?? 0);
    for (const { vector, weight } of this.looks) for (let i = 0; i < sum.length; i++) sum[i]! += weight * vector[i]!;
    this.#sum = sum;
  }

  average(other: Cluster): number {
    let total = 0;
    for (let i = 0; i < this.#sum.length; i++) total += this.#sum[i]! * other.#sum[i]!;
    return total / (this.weight * other.weight);
  }

  /** Least cosine of two looks; something below `bound` as soon as it is known to be that. In steps: large clusters have many pairs. */
  *least(other: Cluster, bound: number): Generator<undefined, number, undefined> {
    let least = 1;
    let count = 0;
    for (const a of this.looks) {
      for (const b of other.looks) {
        least = Math.min(least, dot(a.vector, b.vector));
        if (least < bound) return least;
        if ((++count & 63) === 0) yield;
      }
    }
    return least;
  }

  get name(): string | undefined {
    return this.members.find(({ name }) => name !== undefined)?.name;
  }

  /** Who the cluster is known as: the one with a name, else the oldest. */
  get head(): ClusterPerson {
    return this.members.reduce((a, b) => {
      if ((a.name === undefined) !== (b.name === undefined)) return a.name === undefined ? b : a;
      return b.since < a.since || (b.since === a.since && b.id < a.id) ? b : a;
    });
  }
}

interface Edge {
  readonly a: number;
  readonly b: number;
  readonly average: number;
}

/**
 * Plans merges of persons; `pairs` are the ones (by position) that are near at all, everything else is never joined. Greedy from the most similar
 * pair on; deterministic. In steps, between which the caller may do something else. Persons without looks stay alone. Pure.
 */
export function* planning(
  persons: readonly ClusterPerson[],
  pairs: readonly (readonly [number, number])[],
  rules: ClusterRules,
): Generator<undefined, ClusterPlan, undefined> {
  const clusters = new Map<number, Cluster>();
  const neighbours = new Map<number, Set<number>>();
  for (const [i, person] of persons.entries()) {
    if (person.looks.length > 0) clusters.set(i, new Cluster([person]));
    neighbours.set(i, new Set());
    if ((i & 63) === 63) yield;
  }
  const heap = new Heap();
  const offer = (a: number, b: number): void => {
    const average = clusters.get(a)!.average(clusters.get(b)!);
    if (average >= rules.average) heap.push({ a: Math.min(a, b), b: Math.max(a, b), average });
  };
  let count = 0;
  for (const [a, b] of pairs) {
    if (a === b || !clusters.has(a) || !clusters.has(b) || neighbours.get(a)!.has(b)) continue;
    neighbours.get(a)!.add(b);
    neighbours.get(b)!.add(a);
    offer(a, b);
    if ((++count & 63) === 0) yield;
  }
  const merges: PlannedMerge[] = [];
  const heldBack: HeldBack[] = [];
  let next = persons.length;
  for (let edge = heap.pop(); edge !== undefined; edge = heap.pop()) {
    yield;
    const a = clusters.get(edge.a);
    const b = clusters.get(edge.b);
    if (a === undefined || b === undefined) continue;
    const least = yield* a.least(b, rules.least);
    if (least < rules.least) continue;
    const reason = yield* objection(a, b, rules);
    if (reason !== undefined) {
      heldBack.push({ persons: [...a.members, ...b.members].map(({ id }) => id).sort(), reason });
      continue;
    }
    const joined = new Cluster([...a.members, ...b.members]);
    const into = joined.head === a.head ? a : b;
    merges.push({ into: into.head.id, from: (into === a ? b : a).head.id, average: edge.average, least });
    const made = next++;
    clusters.set(made, joined);
    clusters.delete(edge.a);
    clusters.delete(edge.b);
    const around = new Set([...neighbours.get(edge.a)!, ...neighbours.get(edge.b)!].filter((i) => clusters.has(i)));
    neighbours.set(made, around);
    let offered = 0;
    for (const i of around) {
      neighbours.get(i)!.add(made);
      offer(made, i);
      if ((++offered & 63) === 0) yield;
    }
  }
  return { merges, heldBack };
}

function* objection(
  a: Cluster,
  b: Cluster,
  rules: ClusterRules,
): Generator<undefined, HeldBack['reason'] | undefined, undefined> {
  for (const x of a.members) {
    for (const y of b.members) if (rules.isApart(x.id, y.id)) return 'apart';
    yield;
  }
  if (a.name !== undefined && b.name !== undefined && a.name !== b.name) return 'names';
  return a.members.length + b.members.length > rules.most ? 'size' : undefined;
}

/**
 * Whether a look is a hub: near to more than `most` persons who for the most part are not near to each other. Blurred and covered faces
 * resemble everybody; single links through them are what swallows a gallery. `near` are looks of other persons, one for each.
 */
export function isHub(near: readonly Float32Array[], threshold: number, most: number): boolean {
  if (near.length <= most) return false;
  let alike = 0;
  let pairs = 0;
  // A sample of the pairs tells it as well.
  for (let i = 0; i < near.length && pairs < 400; i++) {
    for (let j = i + 1; j < near.length && pairs < 400; j++) {
      pairs++;
      if (dot(near[i]!, near[j]!) >= threshold) alike++;
    }
  }
  return alike < pairs / 2;
}

/** Most similar pair first; of equals the one that came first by position, so that the same data give the same plan. */
class Heap {
  readonly #edges: Edge[] = [];

  push(edge: Edge): void {
    const edges = this.#edges;
    let at = edges.push(edge) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(edges[at]!, edges[up]!)) break;
      [edges[at], edges[up]] = [edges[up]!, edges[at]!];
      at = up;
    }
  }

  pop(): Edge | undefined {
    const edges = this.#edges;
    const first = edges[0];
    const last = edges.pop();
    if (first === undefined || last === undefined || edges.length === 0) return first;
    edges[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < edges.length && before(edges[child]!, edges[least]!)) least = child;
      }
      if (least === at) return first;
      [edges[at], edges[least]] = [edges[least]!, edges[at]!];
      at = least;
    }
  }
}

const before = (x: Edge, y: Edge): boolean =>
  x.average !== y.average ? x.average > y.average : x.a !== y.a ? x.a < y.a : x.b < y.b;
