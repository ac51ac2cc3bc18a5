// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3.hpp>
#include <waybill/protocol/s3/protocol.hpp>
#include <waybill/protocol/s3/settings.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace waybill::detail {
namespace {

std::error_code refused(const std::function<void()>& what) {
    try {
        what();
    } catch (const error& e) {
        return e.code();
    }
    return {};
}

}  // namespace

TEST_CASE("the settings of s3 are read back as they were given", "[s3]") {
    const s3_settings s = parse_s3_settings(s3{}.part_size(6 << 20)
                                                .parallel(7)
                                                .checksum("sha256")
                                                .region("eu-central-1")
                                                .service("s3-outposts")
                                                .profile("backup keys")
                                                .unsigned_payload()
                                                .storage_class("STANDARD_IA")
                                                .spec());
    CHECK(s.part_size == 6 << 20);
    CHECK(s.parallel == 7);
    CHECK(s.checksum == "sha256");
    CHECK(s.region == "eu-central-1");
    CHECK(s.service == "s3-outposts");
    CHECK(s.profile == "backup keys");
    CHECK_FALSE(s.signs_payload);
    CHECK(s.object_headers == header_list{{"x-amz-storage-class", "STANDARD_IA"}});
}

TEST_CASE("what an object is to have becomes headers of the request that makes it", "[s3]") {
    using namespace std::chrono_literals;
    const s3_settings s =
        parse_s3_settings(s3{}.content_disposition("attachment; filename=\"a b.pdf\"")
                              .content_encoding("gzip")
                              .cache_control("max-age=3600, public")
                              .kms_key("arn:aws:kms:eu-west-1:1:key/2")
                              .tag("kind", "a b")
                              .tag("of/what", "1+1")
                              .object_lock(s3::lock::compliance, std::chrono::system_clock::time_point(1s))
                              .legal_hold()
                              .spec());
    CHECK(s.object_headers ==
          header_list{{"Content-Disposition", "attachment; filename=\"a b.pdf\""},
                      {"Content-Encoding", "gzip"},
                      {"Cache-Control", "max-age=3600, public"},
                      {"x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-west-1:1:key/2"},
                      {"x-amz-tagging", "kind=a%20b&of%2Fwhat=1%2B1"},
                      {"x-amz-object-lock-mode", "COMPLIANCE"},
                      {"x-amz-object-lock-retain-until-date", "1970-01-01T00:00:01Z"},
                      {"x-amz-object-lock-legal-hold", "ON"},
                      {"x-amz-server-side-encryption", "aws:kms"}});
    CHECK(is_locked(s.object_headers));
}

TEST_CASE("settings that s3 cannot have are refused", "[s3]") {
    const auto [name, value] = GENERATE(table<std::string, std::string>({{"part-size", "5242879"},
                                                                         {"part-size", "5368709121"},
                                                                         {"part-size", "8M"},
                                                                         {"parallel", "0"},
                                                                         {"parallel", "65"},
                                                                         {"checksum", "md5"},
                                                                         {"digest", "sha-256"},
                                                                         {"region", ""},
                                                                         {"region", "us/east"},
                                                                         {"payload", "none"},
                                                                         {"acl", "public read"},
                                                                         {"content-disposition", "\xC3\xA9"},
                                                                         {"cache-control", " no-store"},
                                                                         {"content-encoding", ""},
                                                                         {"kms-key", "a b"},
                                                                         {"tagging", "a b=c"},
                                                                         {"tagging", "=b"},
                                                                         {"tagging", "a=1&&b=2"},
                                                                         {"object-lock-mode", "SOME"},
                                                                         {"object-lock-mode", "GOVERNANCE"},
                                                                         {"object-lock-retain-until", "tomorrow"},
                                                                         {"object-lock-legal-hold", "OFF"},
                                                                         {"chunk-size", "8388608"}}));
    CAPTURE(name, value);
    const protocol_spec spec{"s3", {{name, value}}};
    CHECK(refused([&] { (void)parse_s3_settings(spec); }) == errc::invalid_setting);
}

TEST_CASE("a checksum of the object goes with the same ones of its parts", "[s3]") {
    CHECK(parse_s3_settings(s3{}.digest("crc32c").spec()).checksum == "crc32c");
    CHECK(parse_s3_settings(s3{}.checksum("crc32c").digest("crc32c").spec()).whole_checksum);
    const protocol_spec both = s3{}.checksum("sha256").digest("crc32c").spec();
    CHECK(refused([&] { (void)parse_s3_settings(both); }) == errc::invalid_setting);
}

TEST_CASE("URLs that a signature could not be sure of are refused", "[s3]") {
    const std::string bad =
        GENERATE("https://s3.test/bucket/key?versionId=1", "https://s3.test/bucket/../key",
                 "https://s3.test/bucket/./key", "https://s3.test/bucket/%2e%2E/key", "https://s3.test/bucket/.%2e",
                 "https://b\xC3\xBC.test/bucket/key", "https://s3.test", "https://s3.test/");
    CAPTURE(bad);
    CHECK(refused([&] { check_s3_url(bad); }) == errc::invalid_url);
}

TEST_CASE("a URL that certainly names a bucket and no object is refused", "[s3]") {
    const std::string bad = GENERATE(
        "https://s3.test/bucket", "https://s3.test/bucket/", "http://127.0.0.1:9000/photos", "http://[::1]:9000/photos",
        "http://localhost/photos/", "https://minio:9000/photos", "https://s3.eu-west-1.amazonaws.com/photos",
        "https://s3-eu-west-1.amazonaws.com/photos", "http://127.0.0.1//key", "https://S3.test/bucket");
    CAPTURE(bad);
    CHECK(refused([&] { check_s3_url(bad); }) == errc::invalid_url);
}

TEST_CASE("URLs with the bucket in the path or in the host are taken", "[s3]") {
    const std::string good =
        GENERATE("https://s3.test/bucket/key", "https://bucket.s3.test/key", "http://127.0.0.1:8080/bucket/a%20b/..c",
                 "https://bucket.s3.test/caf\xC3\xA9/.hidden", "https://files.test/key", "https://s3-files.test/key",
                 "http://127.0.0.1:9000/bucket/folder/");
    CAPTURE(good);
    CHECK_FALSE(refused([&] { check_s3_url(good); }));
}

TEST_CASE("a job's headers go with the requests they are for", "[s3]") {
    CHECK(place_of("Cache-Control") == s3_header::object);
    CHECK(place_of("expires") == s3_header::object);
    CHECK(place_of("Content-Disposition") == s3_header::object);
    CHECK(place_of("content-encoding") == s3_header::object);
    CHECK(place_of("If-None-Match") == s3_header::condition);
    CHECK(place_of("if-match") == s3_header::condition);
    CHECK(place_of("X-Tenant") == s3_header::every);
}

namespace {

std::error_code refused_job(const waybill::job& job) {
    return refused([&] { s3_protocol(parse_s3_settings(job.protocol()), nullptr).check(job); });
}
waybill::job small(const std::string& url, const s3& how = {}) {
    waybill::job what(url);
    what.via(how).bytes("a", "x");
    return what;
}

}  // namespace

TEST_CASE("a job that cannot be sent by S3 is refused at the border", "[s3]") {
    const std::string url = "https://s3.test/bucket/key";
    CHECK_FALSE(refused_job(small(url)));
    CHECK(refused_job(small(url).bytes("b", "y")) == errc::invalid_url);
    CHECK(refused_job(small("https://s3.test/bucket/").bytes("a", "y")) == errc::duplicate_name);
    CHECK(refused_job(small("https://s3.test/bucket/").bytes("..", "y")) == errc::invalid_url);
    CHECK(refused_job(small("https://s3.test/bucket/").bytes("../../other", "y")) == errc::invalid_url);
    CHECK(refused_job(small("https://s3.test/bucket/").bytes("a/./b", "y")) == errc::invalid_url);
    CHECK_FALSE(refused_job(small("https://s3.test/bucket/").bytes("b/c", "y")));
    CHECK(refused_job(small("http://s3.test/bucket/key", s3{}.unsigned_payload())) == errc::invalid_setting);
    CHECK(refused_job(small(url).header("content-md5", "x")) == errc::forbidden_header);
    CHECK(refused_job(small(url).header("Repr-Digest", "x")) == errc::forbidden_header);
    CHECK(refused_job(small(url, s3{}.cache_control("no-store")).header("cache-control", "x")) ==
          errc::forbidden_header);
    CHECK_FALSE(refused_job(small(url).header("Content-Disposition", "inline")));
    CHECK_FALSE(refused_job(small(url).header("x-amz-tagging", "a=b")));
    CHECK(refused_job(small(url).header("x-amz-tagging", "a b")) == errc::invalid_header);
    CHECK(place_of("x-amz-tagging") == s3_header::object);
    CHECK_FALSE(refused_job(small(url).field("album", "Istanbul")));
    CHECK(refused_job(small(url).field("album", "\xC4\xB0stanbul")) == errc::invalid_field);
    CHECK(refused_job(small(url).field("an album", "Istanbul")) == errc::invalid_field);
    CHECK(refused_job(small(url).field("a", "1").field("A", "2")) == errc::invalid_field);
    CHECK(refused_job(small(url).field("Waybill-Upload", "1")) == errc::invalid_field);
    CHECK(refused_job(small(url).field("a", std::string(2001, 'x'))) == errc::invalid_field);
}

}  // namespace waybill::detail
