#include "core/status.h"

namespace lineament {

const char* code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Code::kAborted:
      return "ABORTED";
    case Code::kClosed:
      return "CLOSED";
    case Code::kOutOfMemory:
      return "OUT_OF_MEMORY";
    case Code::kRuntimeNotFound:
      return "RUNTIME_NOT_FOUND";
    case Code::kRuntimeIncompatible:
      return "RUNTIME_INCOMPATIBLE";
    case Code::kProviderUnavailable:
      return "PROVIDER_UNAVAILABLE";
    case Code::kModelCorrupt:
      return "MODEL_CORRUPT";
    case Code::kInferenceFailed:
      return "INFERENCE_FAILED";
    case Code::kStoreCorrupt:
      return "STORE_CORRUPT";
    case Code::kStoreVersion:
      return "STORE_VERSION";
    case Code::kStoreBusy:
      return "STORE_BUSY";
    case Code::kStoreFull:
      return "STORE_FULL";
    case Code::kStoreFailed:
      return "STORE_FAILED";
    case Code::kDuplicateId:
      return "DUPLICATE_ID";
    case Code::kMeshCorrupt:
      return "MESH_CORRUPT";
    case Code::kNoSurface:
      return "NO_SURFACE";
    case Code::kCameraNotFound:
      return "CAMERA_NOT_FOUND";
    case Code::kCameraBusy:
      return "CAMERA_BUSY";
    case Code::kCameraUnsupported:
      return "CAMERA_UNSUPPORTED";
    case Code::kCameraLost:
      return "CAMERA_LOST";
    case Code::kVideoCorrupt:
      return "VIDEO_CORRUPT";
    case Code::kNotFound:
      return "NOT_FOUND";
    case Code::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

}  // namespace lineament
