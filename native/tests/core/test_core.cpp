#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "core/aligned.h"
#include "core/cancel.h"
#include "core/cpu.h"
#include "core/status.h"
#include "tests/check.h"

using namespace lineament;

TEST(codes_have_distinct_names) {
  CHECK_EQ(std::string(code_name(Code::kAborted)), "ABORTED");
  CHECK_EQ(std::string(code_name(Code::kModelCorrupt)), "MODEL_CORRUPT");
  for (int a = 0; a <= static_cast<int>(Code::kInternal); ++a) {
    for (int b = 0; b < a; ++b) {
      CHECK(std::strcmp(code_name(static_cast<Code>(a)), code_name(static_cast<Code>(b))) != 0);
    }
  }
}

TEST(a_result_is_a_value_or_a_reason) {
  const Result<int> good = 7;
  CHECK(good.ok());
  CHECK_EQ(good.value(), 7);
  const Result<int> bad = Status(Code::kClosed, "gone");
  CHECK(!bad.ok());
  CHECK_EQ(bad.status().message(), "gone");
  const Result<int> neither = Status();
  CHECK(!neither.ok());
  CHECK(neither.status().code() == Code::kInternal);
}

TEST(cancel_runs_callbacks_once) {
  CancelToken token;
  int calls = 0;
  token.subscribe([&] { ++calls; });
  const uint64_t gone = token.subscribe([&] { calls += 100; });
  token.unsubscribe(gone);
  CHECK(!token.cancelled());
  token.cancel();
  token.cancel();
  CHECK(token.cancelled());
  CHECK_EQ(calls, 1);
  token.subscribe([&] { ++calls; });  // too late: at once
  CHECK_EQ(calls, 2);
}

TEST(no_callback_after_the_subscription_ended) {
  // The callback reads memory that dies with the subscription; under AddressSanitizer a late call would show.
  for (int i = 0; i < 300; ++i) {
    auto token = std::make_shared<CancelToken>();
    std::thread canceller([token] { token->cancel(); });
    {
      auto target = std::make_unique<int>(0);
      CancelSubscription subscription(token, [&target] { *target += 1; });
    }
    canceller.join();
  }
  CancelSubscription none(nullptr, [] {});
  CHECK(!is_cancelled(CancelTokenPtr()));
}

TEST(memory_is_aligned_and_reused) {
  AlignedBuffer<float> buffer(1000);
  CHECK_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
  const float* first = buffer.data();
  CHECK(buffer.reset(10));
  CHECK_EQ(buffer.data(), first);
  CHECK_EQ(buffer.size(), 10u);
  CHECK(!buffer.reset(static_cast<size_t>(-1) / 4));
  CHECK_EQ(buffer.size(), 0u);
  CHECK(buffer.data() == nullptr);
  CHECK(buffer.reset(5));
}

TEST(simd_level_is_one_that_the_machine_has) {
  const Simd active = active_simd();
  const Simd detected = detected_simd();
  const char* wanted = std::getenv("LINEAMENT_SIMD");
  if (wanted != nullptr && std::strcmp(wanted, "scalar") == 0) {
    CHECK(active == Simd::kScalar);
  } else if (wanted == nullptr) {
    CHECK(active == detected);
  } else {
    CHECK(active <= detected);
  }
  CHECK(usable_cores() >= 1);
}

TEST_MAIN()
