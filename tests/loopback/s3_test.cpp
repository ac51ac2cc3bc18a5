// SPDX-License-Identifier: BSL-1.0
#include "loopback/s3_jobs.hpp"

#include <string>

// Whole jobs by S3.
namespace waybill::test {

TEST_CASE("s3 sends small items as one PUT each, with metadata", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    job what(server.url("/bucket/in/"));
    what.via(s3{}.storage_class("STANDARD_IA"))
        .field("album", "Istanbul  by night")
        .header("Cache-Control", "no-cache")
        .bytes("a \xC3\xA9+~.txt", "first")
        .bytes("empty", "");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.now == status::completed);
    const auto there = server.objects();
    REQUIRE(there.size() == 2);
    const auto& first = there.at("/bucket/in/a \xC3\xA9+~.txt");
    CHECK(first.data == "first");
    CHECK(there.at("/bucket/in/empty").data.empty());
    CHECK(single_header(first.headers, "x-amz-meta-album") == "Istanbul  by night");
    CHECK(single_header(first.headers, "x-amz-storage-class") == "STANDARD_IA");
    CHECK(single_header(first.headers, "Cache-Control") == "no-cache");
    CHECK(single_header(first.headers, "x-amz-meta-waybill-upload").has_value());
    CHECK(server.count("CreateMultipartUpload") == 0);
    require_lawful(server);
}

TEST_CASE("s3 sends large items in parts, several at once", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(23 * mib + 7);
    const job what = one_file(dir, server, content, small_parts().parallel(3)).field("album", "Istanbul");
    const job_snapshot done = require_delivered(uploads, server, what, content);
    CHECK(done.sent == content.size());
    CHECK(server.count("UploadPart") == 5);
    CHECK(server.count("CreateMultipartUpload") == 1);
    CHECK(server.count("CompleteMultipartUpload") == 1);
    CHECK(server.http().log().connections() >= 2);
    CHECK(single_header(server.objects().begin()->second.headers, "x-amz-meta-album") == "Istanbul");
    require_lawful(server);
}

}  // namespace waybill::test
