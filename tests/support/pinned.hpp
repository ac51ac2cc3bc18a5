// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/source/file_source.hpp>

#include <cstdint>

namespace waybill::test {

/// The item that a pinned file is.
[[nodiscard]] inline item_spec item_of(const pinned_file& file) {
    item_spec spec;
    spec.path = file.path;
    spec.identity = file.identity;
    spec.content = file.content;
    spec.size = file.identity.size;
    return spec;
}

/// A range of it, which was pinned as such.
[[nodiscard]] inline item_spec range_of(const pinned_file& file, std::uint64_t offset, std::uint64_t length) {
    item_spec spec = item_of(file);
    spec.kind = source_kind::range;
    spec.offset = offset;
    spec.size = length;
    return spec;
}

}  // namespace waybill::test
