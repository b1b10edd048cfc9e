#include "bench/faiss_peer.h"

#include <dlfcn.h>
#include <faiss/IndexFlat.h>
#include <omp.h>

void* faiss_peer_make(const float* vectors, size_t rows, size_t dims) {
  auto* index = new faiss::IndexFlatIP(static_cast<int64_t>(dims));
  index->add(static_cast<int64_t>(rows), vectors);
  return index;
}

void faiss_peer_free(void* index) { delete static_cast<faiss::IndexFlatIP*>(index); }

void faiss_peer_search(const void* index, const float* queries, size_t count, size_t k, int threads, float* scores,
                       int64_t* keys) {
  omp_set_num_threads(threads);
  using SetThreads = void (*)(int);
  static const auto set_threads = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set_threads != nullptr) set_threads(threads);
  static_cast<const faiss::IndexFlatIP*>(index)->search(static_cast<int64_t>(count), queries, static_cast<int64_t>(k),
                                                        scores, keys);
}
