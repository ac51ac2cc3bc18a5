// SPDX-License-Identifier: BSL-1.0
#pragma once

// Jobs by S3, and what becomes of them at a strict server that verifies signatures.

#include <waybill/protocol/s3.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/s3_server.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace waybill::test {

inline constexpr std::size_t mib = 1 << 20;

inline options with_keys(const temp_dir& dir, const std::string& session_token = {}) {
    options how = quick_options(dir);
    how.protocols.add(s3_with([session_token](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, session_token});
    }));
    return how;
}

/// Parts of 5 MiB, two at once.
inline s3 small_parts() {
    return s3{}.part_size(5 * mib).parallel(2);
}

inline job one_file(const temp_dir& dir, const s3_server& server, const std::string& content, const s3& how) {
    job what(server.url("/bucket/a%20file.bin"));
    what.via(how).file(dir.write("a file.bin", content));
    return what;
}

inline job_snapshot require_delivered(delivery& uploads, s3_server& server, const job& what,
                                      const std::string& content) {
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    INFO(describe(server.http().requests()));
    REQUIRE(done.status == status::completed);
    const auto there = server.objects();
    REQUIRE(there.size() == 1);
    CHECK((there.begin()->second.data == content));
    CHECK(there.begin()->first == "/bucket/a file.bin");
    CHECK(server.open_uploads() == 0);
    return done;
}

/// A list of parts that is given when the valve opens.
inline script held_list(s3_server& server, const valve& go) {
    return script("held list").only_for("GET").read_head().hold(go).then([&](exchange& x) { server.serve(x); });
}
inline void wait_for_list(s3_server& server) {
    server.http().log().wait_until("a list", [](const http_log::requests& all) {
        return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.script == "held list"; });
    });
}

inline void require_lawful(const s3_server& server) {
    INFO(describe(const_cast<s3_server&>(server).http().requests()));
    CHECK(server.violations() == std::vector<std::string>());
}

}  // namespace waybill::test
