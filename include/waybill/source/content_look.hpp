// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/source/opened_file.hpp>
#include <waybill/source/recognition.hpp>

#include <cstdint>
#include <span>
#include <utility>

namespace waybill::detail {

/// Checks the content of an open file, a piece at a time.
class content_look {
public:
    static constexpr std::uint64_t most_at_once = 16 << 20;

    content_look(opened_file file, fingerprint_scope scope, std::uint64_t offset, std::uint64_t size)
        : file_(std::move(file)), reads_(scope, offset, size) {}

    /// True when there is more.
    bool read_some(std::uint64_t most) {
        return reads_.read_some(most, [this](std::uint64_t at, std::span<char> out) { read_all(file_, at, out); });
    }
    /// The file was not touched from its opening until now.
    [[nodiscard]] bool undisturbed() const { return look_again(file_) == file_.identity; }
    [[nodiscard]] const opened_file& file() const noexcept { return file_; }
    [[nodiscard]] opened_file take_file() && { return std::move(file_); }
    [[nodiscard]] file_fingerprint value() const { return reads_.value(); }

private:
    opened_file file_;
    fingerprinter reads_;
};

}  // namespace waybill::detail
