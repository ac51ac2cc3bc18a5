// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace waybill {

/// An access key. Kept in memory for the requests of one attempt, never stored and never logged.
struct s3_credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token;  ///< of temporary keys; empty: none
    std::string region = {};    ///< for jobs that name none; empty: not known
};

/// Provides the keys for `s3` jobs, for each attempt, and again when the server no longer accepts the old ones: keys
/// may expire meanwhile.
///
/// Called on the uploader's strand with the origin of the job, `scheme://host:port`, and the profile the job was given
/// (`s3::profile`, often empty). Without a value the job waits for credentials. Must not block for long; may throw
/// `waybill::error`, whose text names the places that were searched: then the job waits with that error.
using s3_credentials_provider =
    std::function<std::optional<s3_credentials>(const std::string& origin, const std::string& profile)>;

/// The keys that the AWS tools would use; empty when there are none.
///
/// With an empty `profile`: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the environment,
/// and without these the profile `AWS_PROFILE`, or `default`. A profile is read from the file
/// `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`, and then from `AWS_CONFIG_FILE`, or `~/.aws/config`. The
/// region is `AWS_REGION`, then `AWS_DEFAULT_REGION`, then the profile's. Roles, single sign-on and helper programs are
/// not supported: use your own provider.
[[nodiscard]] WAYBILL_DECL std::optional<s3_credentials> default_s3_credentials(const std::string& origin,
                                                                                const std::string& profile);

/// The same, but throws `errc::no_credentials` with the places it has searched. The default of `s3`.
[[nodiscard]] WAYBILL_DECL s3_credentials require_s3_credentials(const std::string& origin, const std::string& profile);

/// The keys of one profile in the text of a credentials or config file; empty when it has none.
[[nodiscard]] WAYBILL_DECL std::optional<s3_credentials> find_s3_profile(std::string_view file,
                                                                         std::string_view profile);

namespace detail {

/// Why these keys cannot be sent as they are; empty: they can.
[[nodiscard]] WAYBILL_DECL std::string flaw_of(const s3_credentials& who);

}  // namespace detail
}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3_credentials.ipp>
#endif
