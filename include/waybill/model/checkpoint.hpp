// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace waybill {

/// What the server has confirmed and the store has committed, for one item or for a whole job.
///
/// Neutral between protocols: an upload URL or id, the confirmed offset, and state of the protocol (part tags, digest
/// state), which the protocol must decode as untrusted input.
struct checkpoint {
    /// The item this belongs to; `whole_job` for a job that is one upload.
    std::size_t item = whole_job;
    std::string resource;           ///< the upload's URL or id on the server
    std::uint64_t offset = 0;       ///< bytes the server has confirmed
    std::string state;              ///< the protocol's state
    std::int64_t expires_unix = 0;  ///< seconds since 1970 after which the server drops it; 0: unknown
    /// The protocol could not decode `state`, and recorded an intent in the same commit: the app is asked once.
    bool doubted = false;
    std::string unknown = {};  ///< fields of a newer version, kept as they are

    static constexpr std::size_t whole_job = static_cast<std::size_t>(-1);

    bool operator==(const checkpoint&) const = default;
};

}  // namespace waybill
