// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_digest.hpp>
#include <waybill/protocol/s3/item.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// The digests computed of the bytes, and those the server reports.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<s3_item::body_sums> s3_item::sums_of(body_source& body) {
    std::vector<std::string> algorithms;
    if (settings_.signs_payload) {
        algorithms.emplace_back("sha-256");
    }
    if (!state_.checksum.empty()) {
        algorithms.emplace_back(state_.checksum == "sha256" ? "sha-256" : "crc32c");
    }
    const bool wants_md5 = endpoint_->wants_md5();
    if (wants_md5) {
        algorithms.emplace_back("md5");
    }
    const std::vector<std::string> values = co_await digests_of(body, std::move(algorithms), job_.piece_size());
    std::size_t next = 0;
    body_sums sums;
    sums.payload = unsigned_payload;
    if (settings_.signs_payload) {
        sums.payload = to_hex(values[next]);
        sums.sha256 = to_base64(values[next++]);
    }
    if (!state_.checksum.empty()) {
        sums.checksum = to_base64(values[next++]);
    }
    sums.md5 = wants_md5 ? to_base64(values[next]) : std::string();
    co_return sums;
}

WAYBILL_DECL void s3_item::add_sums(request& what, const body_sums& sums) const {
    if (!sums.checksum.empty()) {
        what.headers.push_back(header_field{"x-amz-checksum-" + state_.checksum, sums.checksum});
    }
    if (!sums.md5.empty()) {
        what.headers.push_back(header_field{"Content-MD5", sums.md5});
    }
}

/// The digests that the server reports must match ours; a checksum that was requested must be among them.
WAYBILL_DECL void s3_item::require_checksum(const s3_response& got, const body_sums& sums) const {
    const auto returned = got.http.header("x-amz-checksum-" + state_.checksum);
    if (!sums.checksum.empty() && !returned) {
        fail(disposition::permanent, errc::not_offered, got, "S3 checksum " + state_.checksum);
    }
    const auto sha256 = got.http.header("x-amz-checksum-sha256");
    const bool other = (!sums.checksum.empty() && *returned != sums.checksum) ||
                       (!sums.sha256.empty() && sha256 && *sha256 != sums.sha256);
    if (other) {
        fail(disposition::retry, errc::invalid_response, got, "another checksum than was sent");
    }
}

/// Throws when a server does not know the checksums that this job requires.
WAYBILL_DECL void s3_item::require_known_checksum(const s3_response& got) const {
    if (!state_.checksum.empty() && refuses_checksums(got)) {
        fail(disposition::permanent, errc::not_offered, got, "S3 checksum " + state_.checksum);
    }
}

}  // namespace waybill::detail
