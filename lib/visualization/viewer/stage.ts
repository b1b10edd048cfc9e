/** What is drawn: the levels of the surface, the points, and the camera, by three.js. */
import {
  BufferAttribute,
  BufferGeometry,
  ClampToEdgeWrapping,
  DataTexture,
  Group,
  LinearFilter,
  LinearMipmapLinearFilter,
  Mesh,
  PerspectiveCamera,
  Points,
  RGBAFormat,
  Scene,
  ShaderMaterial,
  Texture,
  UnsignedByteType,
  WebGLRenderer,
} from 'three';
import { type ColourMap, colourTable } from '../colour-map.js';
import type { GlbPart, GlbScene } from '../glb-scene.js';
import { type Bounds, boundsOf, FIELD_OF_VIEW, type Vector3 } from '../view.js';
import type { SurfaceMode } from '../viewer.js';
import { MODE, POINTS_FRAGMENT, POINTS_VERTEX, SURFACE_FRAGMENT, SURFACE_VERTEX } from './shaders.js';
import type { ViewerCloud } from './unpack.js';

/** How things are drawn. */
export interface Look {
  readonly surface: SurfaceMode;
  readonly mesh: boolean;
  readonly points: boolean;
  readonly wireframe: boolean;
  readonly light: boolean;
}

/** A level as it is drawn, and how coarse it is. */
interface Level {
  readonly group: Group;
  /** Millimetres that may be seen of its coarseness: the stated error, else an eighth of the mean edge. */
  readonly detail: number;
}

export class Stage {
  readonly bounds: Bounds;
  /** Nearest and furthest of what is drawn along the camera's axis, millimetres. */
  readonly depthRange: readonly [near: number, far: number];
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(FIELD_OF_VIEW);
  readonly #reach: number;
  readonly #levels: Level[] = [];
  readonly #hasSurface: boolean;
  readonly #cloud: Points | undefined;
  readonly #materials: ShaderMaterial[] = [];
  readonly #colours: DataTexture;

  constructor(
    canvas: HTMLCanvasElement,
    scene: GlbScene | undefined,
    pictures: readonly ImageBitmap[],
    cloud: ViewerCloud | undefined,
    colours: ColourMap,
    errors: readonly number[] | undefined,
  ) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.#renderer.setClearColor(0, 0);
    const surface = (scene?.levels[0]?.parts ?? []).map(({ positions }) => positions);
    const all = [...surface, ...(cloud === undefined ? [] : [cloud.positions])];
    const whole = boundsOf(all) ?? { centre: [0, 0, 0], radius: 1 };
    this.bounds = boundsOf(surface) ?? whole;
    this.#reach = whole.radius + Math.hypot(...whole.centre.map((value, i) => value - this.bounds.centre[i]!));
    this.depthRange = depthRangeOf(surface.length > 0 ? surface : all);
    this.#colours = tableTexture(colours);
    const textures = pictures.map(pictureTexture);
    this.#hasSurface = scene?.levels.some(({ triangles }) => triangles > 0) ?? false;
    for (const [i, { parts, error, triangles }] of (scene?.levels ?? []).entries()) {
      const group = new Group();
      for (const part of parts) group.add(this.#object(part, textures));
      this.#scene.add(group);
      this.#levels.push({ group, detail: errors?.[i] ?? error ?? meanEdge(parts, triangles) / 8 });
    }
    if (cloud !== undefined) {
      this.#cloud = this.#pointsOf(cloud.positions, cloud.normals, cloud.colours && unitColours(cloud.colours));
      this.#scene.add(this.#cloud);
    }
  }

  /** The coarsest level whose error nobody sees: at most half a pixel. */
  levelFor(millimetresPerPixel: number): number {
    for (let i = this.#levels.length - 1; i > 0; i--) if (this.#levels[i]!.detail * 2 <= millimetresPerPixel) return i;
    return 0;
  }

  resize(width: number, height: number): void {
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
  }

  /** Draws; gives what the graphics processor was given to draw. */
  draw(
    look: Look,
    level: number,
    camera: { position: Vector3; up: Vector3; target: Vector3 },
    distance: number,
  ): { triangles: number; lines: number; points: number } {
    const height = this.#renderer.domElement.height;
    for (const [i, { group }] of this.#levels.entries()) group.visible = look.mesh && i === level;
    if (this.#cloud !== undefined) this.#cloud.visible = look.points;
    for (const material of this.#materials) {
      material.uniforms['mode']!.value = MODE[look.surface];
      material.uniforms['lit']!.value = look.light ? 1 : 0;
      const { lines, size } = material.uniforms;
      if (lines !== undefined) {
        material.wireframe = look.wireframe;
        lines.value = look.wireframe;
      }
      if (size !== undefined) {
        // Over a surface points are small, so that both can be seen; alone they close up.
        const share = look.mesh && this.#hasSurface ? 0.35 : 1;
        const perRadian = height / (2 * Math.tan((FIELD_OF_VIEW * Math.PI) / 360));
        size.value = material.userData['spacing'] * share * perRadian;
      }
    }
    this.#camera.near = distance * 0.01;
    this.#camera.far = distance + 4 * this.#reach + 1;
    this.#camera.position.set(...camera.position);
    this.#camera.up.set(...camera.up);
    this.#camera.lookAt(...camera.target);
    this.#camera.updateProjectionMatrix();
    this.#renderer.render(this.#scene, this.#camera);
    const { triangles, lines, points } = this.#renderer.info.render;
    return { triangles, lines, points };
  }

  #object(part: GlbPart, textures: readonly Texture[]): Mesh | Points {
    if (part.kind === 'points') return this.#pointsOf(part.positions, part.normals, tinted(part));
    const geometry = geometryOf(part.positions, part.normals, tinted(part));
    geometry.setIndex(new BufferAttribute(part.indices, 1));
    if (part.uvs !== undefined) geometry.setAttribute('uv', new BufferAttribute(part.uvs, 2));
    if (part.normals === undefined) geometry.computeVertexNormals();
    const picture = part.uvs === undefined || part.image === undefined ? undefined : textures[part.image];
    const material = this.#material(SURFACE_VERTEX, SURFACE_FRAGMENT, {
      picture: { value: picture ?? null },
      hasPicture: { value: picture !== undefined },
      lines: { value: false },
    });
    material.side = 2; // three's DoubleSide: the shader draws the back plainly
    return new Mesh(geometry, material);
  }

  #pointsOf(positions: Float32Array, normals?: Float32Array, colours?: Float32Array): Points {
    const geometry = geometryOf(positions, normals, colours);
    const material = this.#material(POINTS_VERTEX, POINTS_FRAGMENT, { size: { value: 1 } });
    material.userData['spacing'] = spacingOf(positions);
    return new Points(geometry, material);
  }

  #material(vertexShader: string, fragmentShader: string, own: ShaderMaterial['uniforms']): ShaderMaterial {
    const uniforms = {
      mode: { value: 0 },
      lit: { value: 0 },
      depthRange: { value: this.depthRange },
      colourMap: { value: this.#colours },
      ...own,
    };
    const material = new ShaderMaterial({ vertexShader, fragmentShader, uniforms, toneMapped: false });
    this.#materials.push(material);
    return material;
  }
}

function geometryOf(positions: Float32Array, normals?: Float32Array, colours?: Float32Array): BufferGeometry {
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(positions, 3));
  if (normals !== undefined) geometry.setAttribute('normal', new BufferAttribute(normals, 3));
  const shown = colours ?? new Float32Array(positions.length).fill(normals === undefined ? 0.75 : 1);
  geometry.setAttribute('colour', new BufferAttribute(shown, 3));
  return geometry;
}

function tinted({ positions, colours, tint }: GlbPart): Float32Array {
  const all = new Float32Array(positions.length);
  for (let i = 0; i < all.length; i++) all[i] = (colours?.[i] ?? 1) * tint[i % 3]!;
  return all;
}

const unitColours = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (value) => value / 255);

function tableTexture(map: ColourMap): DataTexture {
  const rgb = colourTable(map);
  const rgba = new Uint8Array(256 * 4).fill(255);
  for (let i = 0; i < 256; i++) rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  const texture = new DataTexture(rgba, 256, 1, RGBAFormat, UnsignedByteType);
  texture.minFilter = LinearFilter;
  texture.magFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}

function pictureTexture(bitmap: ImageBitmap): Texture {
  const texture = new Texture(bitmap);
  // Bitmaps are uploaded as they are: row 0 is the top one, as glTF's coordinates count.
  texture.flipY = false;
  texture.wrapS = ClampToEdgeWrapping;
  texture.wrapT = ClampToEdgeWrapping;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.anisotropy = 4;
  texture.needsUpdate = true;
  return texture;
}

function depthRangeOf(points: readonly Float32Array[]): readonly [number, number] {
  let near = Infinity;
  let far = -Infinity;
  for (const positions of points) {
    for (let i = 2; i < positions.length; i += 3) {
      near = Math.min(near, -positions[i]!);
      far = Math.max(far, -positions[i]!);
    }
  }
  if (!(near <= far)) return [0, 1];
  return far - near < 1e-3 ? [near - 0.5, far + 0.5] : [near, far];
}

/** Mean length of the edges of a level, millimetres. */
function meanEdge(parts: readonly GlbPart[], triangles: number): number {
  let sum = 0;
  for (const { positions, indices } of parts) {
    for (let i = 0; i < indices.length; i++) {
      const a = indices[i]! * 3;
      const b = indices[i % 3 === 2 ? i - 2 : i + 1]! * 3;
      sum += Math.hypot(
        positions[a]! - positions[b]!,
        positions[a + 1]! - positions[b + 1]!,
        positions[a + 2]! - positions[b + 2]!,
      );
    }
  }
  return triangles === 0 ? 0 : sum / (3 * triangles);
}

/** About how far points lie apart, seen from the front. */
function spacingOf(positions: Float32Array): number {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < positions.length; i += 3) {
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis]!, positions[i + axis]!);
      high[axis] = Math.max(high[axis]!, positions[i + axis]!);
    }
  }
  const area = (high[0]! - low[0]!) * (high[1]! - low[1]!);
  return 1.15 * Math.sqrt(Math.max(area, 1e-6) / Math.max(1, positions.length / 3));
}
