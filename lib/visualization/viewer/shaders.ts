/** Shaders of surface and points. Colours stay in sRGB from the file to the screen, so that a photograph looks as it does elsewhere. */
import { BACK, CLAY, LIGHTS, type Vector3 } from '../view.js';

/** The number of a mode in the shader. */
export const MODE = { texture: 0, plain: 1, normals: 2, depth: 3 } as const;

const number = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
const vec3 = (v: Vector3): string => `vec3(${v.map(number).join(',')})`;

const SHADE = `
uniform int mode;
uniform float lit;
uniform vec2 depthRange;
uniform sampler2D colourMap;
varying vec3 seenNormal;
varying vec3 ownNormal;
varying vec3 tint;
varying float distance_;
float lightOn(vec3 n){
  return ${number(LIGHTS.ambient)}+${number(LIGHTS.key.strength)}*max(0.0,dot(n,${vec3(LIGHTS.key.direction)}))+${number(LIGHTS.fill.strength)}*max(0.0,dot(n,${vec3(LIGHTS.fill.direction)}));
}
vec3 shade(vec3 base,vec3 n,vec3 own){
  if(mode==2)return own*0.5+0.5;
  if(mode==3){float t=(depthRange.y-distance_)/(depthRange.y-depthRange.x);return texture2D(colourMap,vec2(t*(255.0/256.0)+0.5/256.0,0.5)).rgb;}
  if(mode==1)return ${vec3(CLAY)}*lightOn(n);
  return base*mix(1.0,lightOn(n),lit);
}
`;

const SHARED_VERTEX = `
varying vec3 seenNormal;
varying vec3 ownNormal;
varying vec3 tint;
varying float distance_;
`;

export const SURFACE_VERTEX = `${SHARED_VERTEX}
attribute vec3 colour;
varying vec2 place;
void main(){
  seenNormal=normalMatrix*normal;ownNormal=normal;tint=colour;place=uv;distance_=-position.z;
  gl_Position=projectionMatrix*modelViewMatrix*vec4(position,1.0);
}`;

export const SURFACE_FRAGMENT = `${SHADE}
varying vec2 place;
uniform sampler2D picture;
uniform bool hasPicture;
uniform bool lines;
void main(){
  vec3 n=normalize(seenNormal);
  vec3 base=tint;
  if(hasPicture)base*=texture2D(picture,place).rgb;
  vec3 colour=shade(base,n,normalize(ownNormal));
  if(!gl_FrontFacing&&!lines)colour=${vec3(BACK)}*lightOn(-n);
  gl_FragColor=vec4(colour,1.0);
}`;

export const POINTS_VERTEX = `${SHARED_VERTEX}
attribute vec3 colour;
uniform float size;
void main(){
  seenNormal=normalMatrix*normal;ownNormal=normal;tint=colour;distance_=-position.z;
  vec4 seen=modelViewMatrix*vec4(position,1.0);
  gl_Position=projectionMatrix*seen;
  gl_PointSize=clamp(size/-seen.z,1.5,48.0);
}`;

export const POINTS_FRAGMENT = `${SHADE}
void main(){
  if(length(gl_PointCoord-0.5)>0.5)discard;
  bool has=dot(ownNormal,ownNormal)>0.01;
  vec3 n=has?normalize(seenNormal):vec3(0.0,0.0,1.0);
  vec3 own=has?normalize(ownNormal):vec3(0.0,0.0,1.0);
  gl_FragColor=vec4(shade(tint,n,own),1.0);
}`;
