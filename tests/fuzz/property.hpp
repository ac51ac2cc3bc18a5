// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace waybill::fuzz {

/// Ends the run as a finding: libFuzzer keeps the input that broke the sentence.
inline void require(bool holds, const char* sentence) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", sentence);
        std::abort();
    }
}

[[nodiscard]] inline bool has_control(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/// Cuts the input into lines, so that corpora are text: each call gives the next one.
class lines {
public:
    explicit lines(std::string_view all) : rest_(all) {}

    [[nodiscard]] std::string_view next() {
        const std::string_view line = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(line.size() < rest_.size() ? line.size() + 1 : rest_.size());
        return line;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

/// What each fuzzer defines: the promises about one input.
void check(std::string_view input);

}  // namespace waybill::fuzz

// NOLINTNEXTLINE: the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    waybill::fuzz::check({reinterpret_cast<const char*>(data), size});  // NOLINT: bytes are bytes
    return 0;
}
