// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The optional fields of a record: each a tag and a value, in ascending order of their tags. A field that has its
// default is not written: it costs nothing and changes no checksum. A field whose tag is not known here was written by
// a newer minor version of the format: it is kept, and written back where it was.
namespace waybill::detail {

/// Fields in the order in which they are stored.
using tagged_fields = std::vector<std::pair<std::uint64_t, std::string>>;

/// Empty fields for an empty text. False: damaged. A tag that is there twice, or out of order, is damage too: it would
/// be written back in another way than it was read, and the checksum would not match.
[[nodiscard]] inline bool split_extension(std::string_view in, tagged_fields& out) {
    decoder from(in);
    while (from.ok() && !from.finished()) {
        const std::uint64_t tag = from.number();
        std::string value = from.text();
        if (!from.ok() || (!out.empty() && tag <= out.back().first)) {
            return false;
        }
        out.emplace_back(tag, std::move(value));
    }
    return from.ok();
}

/// Writes the fields of one record, which must be named in ascending order. A tag belongs to one field forever.
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
    /// The end. The fields that were not known when the record was read take their places among the others.
    [[nodiscard]] std::string take(std::string_view unknown) && {
        if (unknown.empty()) {
            return std::move(out_).take();
        }
        tagged_fields all;
        tagged_fields kept;
        if (!split_extension(out_.view(), all) || !split_extension(unknown, kept)) {
            return out_.view() + std::string(unknown);  // when it is read back, it is damaged: its content is not used
        }
        all.insert(all.end(), kept.begin(), kept.end());
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        encoder merged;
        for (const auto& [tag, value] : all) {
            merged.number(tag).text(value);
        }
        return std::move(merged).take();
    }

private:
    encoder out_;
};

/// Calls `take(tag, value)` for each field. It returns false for a tag that it does not know, and the field is added to
/// `unknown`. False: damaged.
template <class Take>
[[nodiscard]] bool read_extension(std::string_view in, std::string& unknown, const Take& take) {
    unknown.clear();
    if (in.empty()) {
        return true;
    }
    tagged_fields fields;
    if (!split_extension(in, fields)) {
        return false;
    }
    encoder kept;
    for (const auto& [tag, value] : fields) {
        if (!take(tag, value)) {
            kept.number(tag).text(value);
        }
    }
    unknown = std::move(kept).take();
    return true;
}

/// The value of a field that is a number. False in `ok` when it is none, or more than `most`: a new meaning needs a new
/// tag, or a new major version.
template <class Number>
void read_number(std::string_view value, Number& to, std::uint64_t most, bool& ok) {
    decoder from(value);
    const std::uint64_t number = from.number(most);
    ok = ok && from.finished();
    to = static_cast<Number>(number);
}

}  // namespace waybill::detail
