// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/session.hpp>

#include <cstddef>

// A request that is not idempotent, sent once more because its first response was lost.
namespace waybill::detail {

/// An earlier request for the same item may have arrived, and the endpoint recognises it by its key.
[[nodiscard]] inline bool is_repeated_by_key(const session& job, std::size_t about) {
    return job.in_doubt(about) && job.spec().if_unknown == on_unknown::retry_same_key;
}

/// From an endpoint that honours the key, 409 means that an earlier request with it is still being processed
/// (draft-ietf-httpapi-idempotency-key-header, section 2.6): a later one gets its response.
inline void require_first_is_over(const response& got, const session& job, std::size_t about, bool repeated) {
    if (got.status == 409 && repeated) {
        throw failure(disposition::ambiguous, make_http_error(409), describe(got),
                      parse_retry_after(got, unix_seconds(job.now())), about);
    }
}

}  // namespace waybill::detail
