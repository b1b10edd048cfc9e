// Meshes and clouds as arguments and as answers: what lib/reconstruction/types.ts calls Mesh and PointCloud.
#pragma once

#include <napi.h>

#include "cloud/camera.h"
#include "cloud/point_cloud.h"
#include "mesh/triangle_mesh.h"

namespace lineament::bindings {

// Of fx, fy, cx and cy.
Camera camera_in(const Napi::Object& options);

// Copied. Array lengths are checked here; whether numbers are finite and indices name vertices, check_mesh looks at off
// the environment's thread.
TriangleMesh mesh_in(const Napi::Value& value);
PointCloud cloud_in(const Napi::Value& value);

// Arrays that are empty stay absent.
Napi::Object give_mesh(Napi::Env env, const TriangleMesh& mesh);

}  // namespace lineament::bindings
