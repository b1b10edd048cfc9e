// What each bindings file adds to the addon's exports.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_image(Napi::Object exports);       // convert, warp, toTensor, statistics, releaseBytes
void export_redact(Napi::Object exports);      // redact
void export_runtime(Napi::Object exports);     // openRuntime
void export_shapes(Napi::Object exports);      // openShapeModel
void export_file_lock(Napi::Object exports);   // lockFile
void export_capture(Napi::Object exports);     // createCapturePipe, openCapture
void export_cloud(Napi::Object exports);       // projectDepth, cloudNormals, voxelMeans, registerClouds, …
void export_depth(Napi::Object exports);       // depthFromLandmarks, rateDepth, filterDepth, fillDepth, …
void export_mesh_files(Napi::Object exports);  // encodeMesh, decodeMesh
void export_nvml(Napi::Object exports);        // gpuReport
void export_simplify(Napi::Object exports);    // meshFromDepth, simplifyMesh, levelsOfDetail, compareMeshes, …
void export_surface(Napi::Object exports);     // createVolume, rebuildSurface, fillHoles, smoothMesh, inspectMesh, …
void export_textures(Napi::Object exports);    // bakeTexture, geodesicDistances, unwrapMesh
void export_v4l2(Napi::Object exports);        // listVideoDevices, openVideoDevice, watchVideoDevices

}  // namespace lineament::bindings
