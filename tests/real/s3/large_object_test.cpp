// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/s3_server.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

namespace waybill::test {
namespace {

constexpr std::uint64_t part = 512 << 20;
constexpr std::uint64_t size = (std::uint64_t{4} << 30) + 1;

/// The SHA-256 of zeros, and of a last byte.
std::string sum_of(std::uint64_t zeros, const std::string& then) {
    sha256_sum sum;
    const std::string piece(1 << 20, '\0');
    for (std::uint64_t at = 0; at < zeros; at += piece.size()) {
        sum.add(piece);
    }
    sum.add(then);
    return sum.finish();
}

}  // namespace

TEST_CASE("an object above 4 GiB arrives by S3, each part as it was", "[s3]") {
    const temp_dir dir;
    const std::string path = dir.write("large", "");
    std::filesystem::resize_file(path, size - 1);  // a hole
    std::ofstream(path, std::ios::binary | std::ios::app) << "!";
    s3_behaviour how;
    how.keeps_bytes = false;
    how.etags_are_md5 = false;
    s3_server server(how);
    options quick = quick_options(dir);
    quick.protocols.add(s3_with([](const std::string&, const std::string&) {
        return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, ""});
    }));
    delivery uploads(quick);
    job what(server.url("/bucket/large"));
    what.via(s3{}.part_size(part).parallel(2)).file(path);
    const job_snapshot done = uploads.wait_until(
        uploads.enqueue(what), [](const job_snapshot& j) { return j.terminal() || is_parked(j.status); },
        std::chrono::minutes(9));
    INFO(describe(done));
    REQUIRE(done.status == status::completed);
    const s3_server::object there = server.objects().at("/bucket/large");
    CHECK(there.size == size);
    REQUIRE(there.part_sums.size() == 9);
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(there.part_sums[i] == sum_of(part, ""));
    }
    CHECK(there.part_sums[8] == sum_of(0, "!"));
    CHECK(server.violations().empty());
}

}  // namespace waybill::test
