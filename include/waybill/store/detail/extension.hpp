// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// Optional fields of a record: each a tag and a value. A field that has its default is not written, so that it costs
// nothing and changes no checksum; a field that this version does not know is kept and written back.
namespace waybill::detail {

/// Writes the fields of one record. A tag belongs to one field for ever.
class extension_writer {
public:
    extension_writer& number(std::uint64_t tag, std::uint64_t value) {
        if (value != 0) {
            encoder one;
            one.number(value);
            text(tag, one.view());
        }
        return *this;
    }
    extension_writer& text(std::uint64_t tag, std::string_view value) {
        if (!value.empty()) {
            out_.number(tag).text(value);
        }
        return *this;
    }
    /// The fields that were not known when the record was read, and the end.
    [[nodiscard]] std::string take(std::string_view unknown) && {
        out_.append(unknown);
        return std::move(out_).take();
    }

private:
    encoder out_;
};

/// Calls `take(tag, value)` for each field; what it does not know, it returns false for, and that is added to
/// `unknown`. False: damaged.
template <class Take>
[[nodiscard]] bool read_extension(std::string_view in, std::string& unknown, const Take& take) {
    decoder from(in);
    while (from.ok() && !from.finished()) {
        const std::uint64_t tag = from.number();
        const std::string value = from.text();
        if (!from.ok()) {
            return false;
        }
        if (!take(tag, value)) {
            encoder kept;
            kept.number(tag).text(value);
            unknown += kept.view();
        }
    }
    return from.finished();
}

/// The value of a field that is a number. False in `ok` when it is none, or more than `most`.
template <class Number>
void read_number(std::string_view value, Number& to, std::uint64_t most, bool& ok) {
    decoder from(value);
    const std::uint64_t number = from.number(most);
    ok = ok && from.finished();
    to = static_cast<Number>(number);
}

}  // namespace waybill::detail
