// Random numbers of the trainer: the same on every machine, and one stream for each use, so that no stream depends on
// how much another was drawn from.
#pragma once

#include <cstdint>
#include <string>

namespace lineament {

// xoshiro256++ (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2019).
class Random {
 public:
  // `seed` and the two numbers name the stream.
  Random(const std::string& seed, uint64_t use, uint64_t index) {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : seed) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    uint64_t at = mixed(mixed(hash + use) + index);
    for (uint64_t& word : state_) word = mixed(at += 0x9e3779b97f4a7c15);
  }

  uint64_t next() {
    const uint64_t out = turned(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = turned(state_[3], 45);
    return out;
  }

  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  // Uniform in [low, high).
  double between(double low, double high) { return low + unit() * (high - low); }
  // Uniform in 0 … count − 1, count below 2^32.
  uint32_t below(uint32_t count) { return static_cast<uint32_t>((next() >> 32) * count >> 32); }

 private:
  static uint64_t turned(uint64_t x, int by) { return x << by | x >> (64 - by); }
  // SplitMix64's finalizer.
  static uint64_t mixed(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  }

  uint64_t state_[4];
};

}  // namespace lineament
