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
    CHECK(done.status == status::completed);
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

TEST_CASE("s3 gives an object what its job says of it", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(6 * mib, std::size_t{100}));
    job what(server.url("/bucket/a%20file.bin"));
    what.via(small_parts()
                 .content_disposition("attachment; filename=\"a.html\"")
                 .kms_key("alias/mine")
                 .tag("kind", "a page")
                 .legal_hold())
        .header("Content-Encoding", "identity")
        .add(item::file(dir.write("a file.bin", content)).content_type("text/html"));
    require_delivered(uploads, server, what, content);
    const header_list there = server.objects().begin()->second.headers;
    CHECK(single_header(there, "content-type") == "text/html");
    CHECK(single_header(there, "content-disposition") == "attachment; filename=\"a.html\"");
    CHECK(single_header(there, "content-encoding") == "identity");
    CHECK(single_header(there, "x-amz-server-side-encryption") == "aws:kms");
    CHECK(single_header(there, "x-amz-server-side-encryption-aws-kms-key-id") == "alias/mine");
    CHECK(single_header(there, "x-amz-tagging") == "kind=a%20page");
    CHECK(single_header(there, "x-amz-object-lock-legal-hold") == "ON");
    CHECK(server.http().requests().back().has_header("Content-MD5") == (content.size() == 100));
    require_lawful(server);
}

TEST_CASE("a success without an ETag is one when the object is there", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.missing_etags = 1; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(100);
    const job_snapshot done = require_delivered(uploads, server, one_file(dir, server, content, s3{}), content);
    CHECK(server.count("PutObject") == 1);
    CHECK(server.count("HeadObject") == 1);
    CHECK(done.item(0).receipt == server.objects().begin()->second.etag);
}

TEST_CASE("a success of which nothing is stored is none", "[s3]") {
    const temp_dir dir;
    s3_server server;
    const bool emptied = GENERATE(false, true);
    server.behave([&](s3_behaviour& b) { (emptied ? b.emptied_bodies : b.lost_bodies) = 2; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(100);
    const job_snapshot done = require_delivered(uploads, server, one_file(dir, server, content, s3{}), content);
    CHECK(done.attempt == 3);
    CHECK(server.count("PutObject") == 3);
}

TEST_CASE("a URL that names a bucket is no success, of an empty file neither", "[s3]") {
    const temp_dir dir;
    s3_server server;
    server.behave([](s3_behaviour& b) { b.makes_buckets = true; });
    delivery uploads(with_keys(dir));
    const std::string content = random_bytes(GENERATE(std::size_t{100}, std::size_t{0}));
    job what(server.http().url("/photos", "files.localhost"));  // only the server knows what this is
    what.via(s3{}).bytes("a", content);
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::failed);
    CHECK(done.error.code == errc::invalid_response);
    CHECK_THAT(done.error.message(), Catch::Contains("names a bucket"));
    CHECK(server.count("PutObject") == 1);
}

TEST_CASE("an object that is refused for now among others is sent again within the attempt", "[s3]") {
    const temp_dir dir;
    s3_server server;
    delivery uploads(with_keys(dir));
    job what(server.url("/bucket/"));
    what.via(s3{});
    for (int i = 0; i < 6; ++i) {
        what.bytes(std::to_string(i), "x");
    }
    const auto is_third = [](const received_request& r) { return r.target == "/bucket/3"; };
    server.http().next(script("slow down").only_if(is_third).read_all().answer({503}));
    server.http().next(script("cut").only_if(is_third).read_all().reset());
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    CHECK(done.status == status::completed);
    CHECK(done.attempt == 1);
    CHECK(server.object_count() == 6);
}

}  // namespace waybill::test
