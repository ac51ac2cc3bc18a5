// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace waybill {

/// The bytes of a request body, or of one item of it. The size is fixed before the first byte is read, and any position
/// can be read at any time: this makes progress exact and lets a transfer continue in mid-body.
class body_source {
public:
    virtual ~body_source() = default;

    /// The number of bytes. Never changes.
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;

    /// Fills `out` with the bytes from `offset`; the range lies within `size()`. Blocks for the disk. Throws
    /// `waybill::error` when these bytes are no longer available: `errc::file_changed`, `errc::source_missing`,
    /// `errc::source_unreadable`, `errc::source_read_failed`.
    virtual void read(std::uint64_t offset, std::span<char> out) = 0;
};

/// Bytes in memory.
class bytes_source final : public body_source {
public:
    explicit bytes_source(std::string data) : data_(std::move(data)) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return data_.size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        if (!out.empty()) {
            std::memcpy(out.data(), data_.data() + offset, out.size());
        }
    }

private:
    std::string data_;
};

}  // namespace waybill
