// The part of ONNX Runtime's C API that we use, declared by hand.
//
// ONNX Runtime hands out a table of function pointers, OrtApi, whose order is append-only by its own promise (the
// public header onnxruntime_c_api.h: "all of the functions in a released version stay where they are"). The table is
// therefore addressed by slot number: the position of the member in `struct OrtApi`. The numbers below were counted
// from the public header; ONNX Runtime's own static checks give the last slot of each version, and kVersionEnds repeats
// them here: 1→101, 2→118, 3→124, 4→126, 5→149, 6→157, 7→161, 8→169, 9→191, 10→203, 11→209.
//
// Version 12 is asked for: it is the first that has the generic SessionOptionsAppendExecutionProvider (slot 216), and
// the first release (1.12) that reads opset 17, which our networks use. Newer libraries grant it as well.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament::ort {

// Version of OrtApi that we ask for, and the first release that has it.
inline constexpr uint32_t kApiVersion = 12;
inline constexpr const char* kOldestRelease = "1.12";

struct Status;
struct ArenaCfg;
struct ThreadingOptions;
struct Env;
struct MemoryInfo;
struct Session;
struct Value;
struct RunOptions;
struct TypeInfo;
struct TensorInfo;
struct SessionOptions;
struct Allocator;
struct ThreadingOptions;
struct CudaOptions;
struct TensorRtOptions;

// enum OrtErrorCode
enum ErrorCode : int {
  kOk = 0,
  kFail = 1,
  kInvalidArgument = 2,
  kNoSuchFile = 3,
  kNoModel = 4,
  kEngineError = 5,
  kRuntimeException = 6,
  kInvalidProtobuf = 7,
  kModelLoaded = 8,
  kNotImplemented = 9,
  kInvalidGraph = 10,
  kEpFail = 11,
};

// enum ONNXTensorElementDataType (the numbers of TensorProto.DataType)
enum ElementType : int {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
};

inline constexpr int kTypeTensor = 1;       // enum ONNXType
inline constexpr int kLogFatal = 4;         // enum OrtLoggingLevel
inline constexpr int kSequential = 0;       // enum ExecutionMode
inline constexpr int kOptimiseAll = 99;     // enum GraphOptimizationLevel
inline constexpr int kDeviceAllocator = 0;  // enum OrtAllocatorType
inline constexpr int kArenaAllocator = 1;
inline constexpr int kSameAsRequested = 1;  // arena_extend_strategy of OrtArenaCfg
inline constexpr int kMemTypeDefault = 0;   // enum OrtMemType

// slot, member, result, arguments; ascending slots.
#define LINEAMENT_ORT_SLOTS(X)                                                                                    \
  X(0, CreateStatus, Status*, (int code, const char* message))                                                    \
  X(1, GetErrorCode, int, (const Status* status))                                                                 \
  X(2, GetErrorMessage, const char*, (const Status* status))                                                      \
  X(8, CreateSessionFromArray, Status*,                                                                           \
    (const Env* env, const void* model, size_t size, const SessionOptions* options, Session** out))               \
  X(9, Run, Status*,                                                                                              \
    (Session * session, const RunOptions* options, const char* const* input_names, const Value* const* inputs,    \
     size_t input_count, const char* const* output_names, size_t output_count, Value** outputs))                  \
  X(10, CreateSessionOptions, Status*, (SessionOptions * *out))                                                   \
  X(13, SetSessionExecutionMode, Status*, (SessionOptions * options, int mode))                                   \
  X(17, DisableMemPattern, Status*, (SessionOptions * options))                                                   \
  X(19, DisableCpuMemArena, Status*, (SessionOptions * options))                                                  \
  X(22, SetSessionLogSeverityLevel, Status*, (SessionOptions * options, int severity))                            \
  X(23, SetSessionGraphOptimizationLevel, Status*, (SessionOptions * options, int level))                         \
  X(24, SetIntraOpNumThreads, Status*, (SessionOptions * options, int threads))                                   \
  X(25, SetInterOpNumThreads, Status*, (SessionOptions * options, int threads))                                   \
  X(30, SessionGetInputCount, Status*, (const Session* session, size_t* out))                                     \
  X(31, SessionGetOutputCount, Status*, (const Session* session, size_t* out))                                    \
  X(33, SessionGetInputTypeInfo, Status*, (const Session* session, size_t index, TypeInfo** out))                 \
  X(34, SessionGetOutputTypeInfo, Status*, (const Session* session, size_t index, TypeInfo** out))                \
  X(36, SessionGetInputName, Status*, (const Session* session, size_t index, Allocator* allocator, char** out))   \
  X(37, SessionGetOutputName, Status*, (const Session* session, size_t index, Allocator* allocator, char** out))  \
  X(39, CreateRunOptions, Status*, (RunOptions * *out))                                                           \
  X(41, RunOptionsSetRunLogSeverityLevel, Status*, (RunOptions * options, int severity))                          \
  X(46, RunOptionsSetTerminate, Status*, (RunOptions * options))                                                  \
  X(47, RunOptionsUnsetTerminate, Status*, (RunOptions * options))                                                \
  X(49, CreateTensorWithDataAsOrtValue, Status*,                                                                  \
    (const MemoryInfo* info, void* data, size_t bytes, const int64_t* shape, size_t rank, int type, Value** out)) \
  X(51, GetTensorMutableData, Status*, (Value * value, void** out))                                               \
  X(55, CastTypeInfoToTensorInfo, Status*, (const TypeInfo* info, const TensorInfo** out))                        \
  X(56, GetOnnxTypeFromTypeInfo, Status*, (const TypeInfo* info, int* out))                                       \
  X(60, GetTensorElementType, Status*, (const TensorInfo* info, int* out))                                        \
  X(61, GetDimensionsCount, Status*, (const TensorInfo* info, size_t* out))                                       \
  X(62, GetDimensions, Status*, (const TensorInfo* info, int64_t* values, size_t count))                          \
  X(64, GetTensorShapeElementCount, Status*, (const TensorInfo* info, size_t* out))                               \
  X(65, GetTensorTypeAndShape, Status*, (const Value* value, TensorInfo** out))                                   \
  X(69, CreateCpuMemoryInfo, Status*, (int allocator_type, int memory_type, MemoryInfo** out))                    \
  X(76, AllocatorFree, Status*, (Allocator * allocator, void* memory))                                            \
  X(78, GetAllocatorWithDefaultOptions, Status*, (Allocator * *out))                                              \
  X(93, ReleaseStatus, void, (Status * status))                                                                   \
  X(94, ReleaseMemoryInfo, void, (MemoryInfo * info))                                                             \
  X(95, ReleaseSession, void, (Session * session))                                                                \
  X(96, ReleaseValue, void, (Value * value))                                                                      \
  X(97, ReleaseRunOptions, void, (RunOptions * options))                                                          \
  X(98, ReleaseTypeInfo, void, (TypeInfo * info))                                                                 \
  X(99, ReleaseTensorTypeAndShapeInfo, void, (TensorInfo * info))                                                 \
  X(100, ReleaseSessionOptions, void, (SessionOptions * options))                                                 \
  X(119, CreateEnvWithGlobalThreadPools, Status*,                                                                 \
    (int severity, const char* id, const ThreadingOptions* options, Env** out))                                   \
  X(120, DisablePerSessionThreads, Status*, (SessionOptions * options))                                           \
  X(121, CreateThreadingOptions, Status*, (ThreadingOptions * *out))                                              \
  X(122, ReleaseThreadingOptions, void, (ThreadingOptions * options))                                             \
  X(125, GetAvailableProviders, Status*, (char*** out, int* count))                                               \
  X(126, ReleaseAvailableProviders, Status*, (char** providers, int count))                                       \
  X(130, AddSessionConfigEntry, Status*, (SessionOptions * options, const char* key, const char* value))          \
  X(144, CreateAndRegisterAllocator, Status*, (Env * env, const MemoryInfo* info, const ArenaCfg* arena))         \
  X(147, SetGlobalIntraOpNumThreads, Status*, (ThreadingOptions * options, int threads))                          \
  X(148, SetGlobalInterOpNumThreads, Status*, (ThreadingOptions * options, int threads))                          \
  X(149, SetGlobalSpinControl, Status*, (ThreadingOptions * options, int spin))                                   \
  X(156, CreateArenaCfg, Status*,                                                                                 \
    (size_t max_memory, int extend_strategy, int initial_chunk, int max_dead_bytes, ArenaCfg** out))              \
  X(157, ReleaseArenaCfg, void, (ArenaCfg * arena))                                                               \
  X(170, SessionOptionsAppendExecutionProvider_TensorRT_V2, Status*,                                              \
    (SessionOptions * options, const TensorRtOptions* provider))                                                  \
  X(171, CreateTensorRTProviderOptions, Status*, (TensorRtOptions * *out))                                        \
  X(174, ReleaseTensorRTProviderOptions, void, (TensorRtOptions * options))                                       \
  X(204, SessionOptionsAppendExecutionProvider_CUDA_V2, Status*,                                                  \
    (SessionOptions * options, const CudaOptions* provider))                                                      \
  X(205, CreateCUDAProviderOptions, Status*, (CudaOptions * *out))                                                \
  X(208, ReleaseCUDAProviderOptions, void, (CudaOptions * options))                                               \
  X(216, SessionOptionsAppendExecutionProvider, Status*,                                                          \
    (SessionOptions * options, const char* name, const char* const* keys, const char* const* values, size_t count))

#if defined(_WIN32)
#define LINEAMENT_ORT_CALL __stdcall
#else
#define LINEAMENT_ORT_CALL
#endif

// What OrtGetApiBase() returns.
struct ApiBase {
  const void*(LINEAMENT_ORT_CALL* GetApi)(uint32_t version);
  const char*(LINEAMENT_ORT_CALL* GetVersionString)();
};
using GetApiBase = const ApiBase*(LINEAMENT_ORT_CALL*)();

// The slots that we use, as typed function pointers.
struct Api {
#define LINEAMENT_ORT_MEMBER(slot, name, result, arguments) result(LINEAMENT_ORT_CALL* name) arguments = nullptr;
  LINEAMENT_ORT_SLOTS(LINEAMENT_ORT_MEMBER)
#undef LINEAMENT_ORT_MEMBER

  // Takes the pointers out of the table that GetApi(kApiVersion) gave. False where a slot is empty.
  bool bind(const void* table) {
    const auto* slots = static_cast<void* const*>(table);
    bool complete = true;
#define LINEAMENT_ORT_BIND(slot, name, result, arguments)                      \
  name = reinterpret_cast<result(LINEAMENT_ORT_CALL*) arguments>(slots[slot]); \
  complete = complete && name != nullptr;
    LINEAMENT_ORT_SLOTS(LINEAMENT_ORT_BIND)
#undef LINEAMENT_ORT_BIND
    return complete;
  }
};

namespace check {

struct Slot {
  size_t number;
  const char* name;
};
#define LINEAMENT_ORT_ENTRY(slot, name, result, arguments) {slot, #name},
inline constexpr Slot kSlots[] = {LINEAMENT_ORT_SLOTS(LINEAMENT_ORT_ENTRY)};
#undef LINEAMENT_ORT_ENTRY
inline constexpr size_t kSlotCount = sizeof(kSlots) / sizeof(kSlots[0]);
// Last slot of versions 1 … 11, and the last that we use of version 12.
inline constexpr size_t kVersionEnds[] = {101, 118, 124, 126, 149, 157, 161, 169, 191, 203, 209, 216};

constexpr bool ascending() {
  for (size_t i = 1; i < kSlotCount; ++i) {
    if (kSlots[i - 1].number >= kSlots[i].number) return false;
  }
  return true;
}

static_assert(ascending(), "slots must be listed once each, in order");
static_assert(kSlots[kSlotCount - 1].number <= kVersionEnds[kApiVersion - 1],
              "a slot lies beyond the version asked for");
static_assert(sizeof(Api) == kSlotCount * sizeof(void*), "Api holds the slots and nothing else");

}  // namespace check

}  // namespace lineament::ort
