// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/crc32c.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Name and value pairs in a given order: headers, form fields, protocol settings.
using string_pairs = std::vector<std::pair<std::string, std::string>>;

// The encoding of structured values inside one database column: LEB128 numbers and
// length-prefixed strings. Everything decoded here may come from a damaged file, so each read
// is bounded and a failure is remembered instead of thrown.
template <class Encoder>
class encoding {
public:
    Encoder& number(std::uint64_t value) {
        std::array<char, 10> digits;
        std::size_t count = 0;
        for (; value >= 0x80; value >>= 7) {
            digits[count++] = static_cast<char>((value & 0x7F) | 0x80);
        }
        digits[count++] = static_cast<char>(value);
        self().append({digits.data(), count});
        return self();
    }

    Encoder& text(std::string_view value) {
        number(value.size());
        self().append(value);
        return self();
    }

    Encoder& pairs(const string_pairs& list) {
        number(list.size());
        for (const auto& [name, value] : list) {
            text(name).text(value);
        }
        return self();
    }

private:
    [[nodiscard]] Encoder& self() noexcept { return static_cast<Encoder&>(*this); }
};

class encoder : public encoding<encoder> {
public:
    void append(std::string_view bytes) { out_.append(bytes); }
    [[nodiscard]] std::string take() && { return std::move(out_); }
    [[nodiscard]] const std::string& view() const noexcept { return out_; }

private:
    std::string out_;
};

/// The CRC-32C of an `encoder`'s output.
class checksummer : public encoding<checksummer> {
public:
    void append(std::string_view bytes) noexcept {
        if (bytes.size() > waiting_.size() - used_) {
            flush();
        }
        if (bytes.size() > waiting_.size()) {
            crc_ = crc32c(crc_, bytes);
        } else {
            used_ += bytes.copy(waiting_.data() + used_, bytes.size());
        }
    }
    [[nodiscard]] std::uint32_t value() noexcept {
        flush();
        return crc_;
    }

private:
    void flush() noexcept {
        crc_ = crc32c(crc_, {waiting_.data(), used_});
        used_ = 0;
    }

    std::array<char, 256> waiting_;  // a number at a time would take eight times as long
    std::size_t used_ = 0;
    std::uint32_t crc_ = 0;
};

class decoder {
public:
    explicit decoder(std::string_view in) noexcept : in_(in) {}

    [[nodiscard]] std::uint64_t number() noexcept {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (in_.empty()) {
                break;
            }
            const auto byte = static_cast<unsigned char>(in_.front());
            in_.remove_prefix(1);
            if (shift == 63 && byte > 1) {
                break;  // more than 64 bits
            }
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        fail();
        return 0;
    }

    /// A number that must not exceed `most`.
    [[nodiscard]] std::uint64_t number(std::uint64_t most) noexcept {
        const std::uint64_t value = number();
        if (value > most) {
            fail();
            return 0;
        }
        return value;
    }

    [[nodiscard]] std::string text() {
        const std::uint64_t size = number();
        if (size > in_.size()) {
            fail();
            return {};
        }
        std::string value(in_.substr(0, size));
        in_.remove_prefix(size);
        return value;
    }

    [[nodiscard]] string_pairs pairs() {
        const std::uint64_t count = number();
        string_pairs list;
        for (std::uint64_t i = 0; i < count && ok_; ++i) {
            std::string name = text();
            std::string value = text();
            list.emplace_back(std::move(name), std::move(value));
        }
        return ok_ ? list : string_pairs{};
    }

    /// True when everything read so far was well formed.
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// True when all was well formed and no bytes remain.
    [[nodiscard]] bool finished() const noexcept { return ok_ && in_.empty(); }

private:
    void fail() noexcept {
        ok_ = false;
        in_ = {};
    }

    std::string_view in_;
    bool ok_ = true;
};

}  // namespace waybill::detail
