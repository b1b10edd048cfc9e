// FAISS, behind a face of its own: its headers are compiled apart, with their warnings off.
#pragma once

#include <cstddef>
#include <cstdint>

// A flat index of inner products over a copy of `vectors`.
void* faiss_peer_make(const float* vectors, size_t rows, size_t dims);
void faiss_peer_free(void* index);
// keys and scores: count × k, best first. threads: OpenMP's and the BLAS library's.
void faiss_peer_search(const void* index, const float* queries, size_t count, size_t k, int threads, float* scores,
                       int64_t* keys);
