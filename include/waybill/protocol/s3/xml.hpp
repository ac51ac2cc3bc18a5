// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// S3's documents. A server's document is parsed without document types and its own entities, up to a size, and every
// value is bounded.
namespace waybill::detail {

/// `<Error>`.
struct s3_error {
    std::string code;
    std::string message;
    std::string region;    ///< the right one, when that was wrong
    std::string endpoint;  ///< the host to ask instead

    [[nodiscard]] explicit operator bool() const noexcept { return !code.empty(); }
};

/// The error in a body; empty when it is no such document.
[[nodiscard]] WAYBILL_DECL s3_error parse_s3_error(const std::string& body);

/// The id in a response to CreateMultipartUpload; empty when there is none.
[[nodiscard]] WAYBILL_DECL std::string parse_upload_id(const std::string& body);

struct s3_listed_part {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    std::string etag;
    std::string checksum;  ///< in base64, of the algorithm asked for
};

/// One page of ListParts.
struct s3_part_list {
    std::vector<s3_listed_part> parts;
    std::uint64_t next = 0;  ///< ask again for the parts after this one; 0: that was all
};

/// @param checksum the algorithm whose checksums are of interest: `crc32c`, `sha256` or none.
/// Empty when the body is not a complete and valid list.
[[nodiscard]] WAYBILL_DECL std::optional<s3_part_list> parse_part_list(const std::string& body,
                                                                       std::string_view checksum);

/// An object that was completed.
struct s3_completed {
    std::string etag;
    std::string checksum;  ///< its CRC-32C, in base64; empty: not reported
};

/// The contents of a response to CompleteMultipartUpload; empty when it is not one.
[[nodiscard]] WAYBILL_DECL std::optional<s3_completed> parse_completed(const std::string& body);

/// A part as it is named in CompleteMultipartUpload.
struct s3_sent_part {
    std::string etag;
    std::string checksum;  ///< in base64
};

/// The body of CompleteMultipartUpload: parts from number 1.
[[nodiscard]] WAYBILL_DECL std::string complete_document(const std::vector<s3_sent_part>& parts,
                                                         std::string_view checksum);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/xml.ipp>
#endif
