// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill {

/// How many of a file's bytes are read when it is accepted, to detect later whether it is still the same. The numbers
/// are stored.
enum class fingerprint_scope : std::uint8_t {
    none = 0,     ///< none: only its size and the time of its last modification decide
    sampled = 1,  ///< at most 32 KiB: the first, the last, and some between
    whole = 2,    ///< all
};

/// A fingerprint of a file's bytes at the time it was accepted.
struct file_fingerprint {
    fingerprint_scope scope = fingerprint_scope::none;  ///< `whole` also when a sample was of all bytes
    std::string sum;  ///< the first half of their SHA-256; empty with `fingerprint_scope::none`

    bool operator==(const file_fingerprint&) const = default;

    static constexpr std::size_t sum_length = 16;

    /// The stored form; empty for none.
    [[nodiscard]] std::string encode() const {
        return scope == fingerprint_scope::none ? std::string() : static_cast<char>(scope) + sum;
    }
    /// False for input that `encode` does not produce.
    [[nodiscard]] bool decode(std::string_view in) {
        *this = {};
        if (in.empty()) {
            return true;
        }
        const auto number = static_cast<std::uint8_t>(in.front());
        if (number == 0 || number > static_cast<std::uint8_t>(fingerprint_scope::whole) ||
            in.size() != 1 + sum_length) {
            return false;
        }
        scope = static_cast<fingerprint_scope>(number);
        sum = in.substr(1);
        return true;
    }
};

}  // namespace waybill
