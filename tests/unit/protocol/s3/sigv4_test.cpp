// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/s3/sigv4.hpp>
#include <waybill/transport/response.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <utility>

// The published examples: "Signature Version 4 test suite" (service `service`), the signing guide's
// IAM ListUsers, and "Signature Calculations for the Authorization Header" of Amazon S3.
namespace waybill::test {
namespace {

using detail::sigv4;

constexpr std::int64_t suite_time = 1'440'938'160;  // 2015-08-30 12:36:00
constexpr std::int64_t s3_time = 1'369'353'600;     // 2013-05-24 00:00:00
const std::string empty_hash = detail::to_hex(detail::digest_of("sha-256", ""));

request make(std::string method, std::string url, header_list headers = {}) {
    request what;
    what.method = std::move(method);
    what.url = std::move(url);
    what.headers = std::move(headers);
    return what;
}

std::string authorization(const request& signed_request) {
    return std::string(single_header(signed_request.headers, "Authorization").value_or(""));
}

std::string signature_of(const std::string& text) {
    return text.substr(text.find("Signature=") + 10);
}

std::string suite_signature(request what, const std::string& payload = empty_hash) {
    sigv4({"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}, "us-east-1", "service")
        .sign(what, payload, suite_time);
    return signature_of(authorization(what));
}

sigv4 s3_signer() {
    return {{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""}, "us-east-1"};
}

std::string s3_authorization(request what, const std::string& payload = empty_hash) {
    s3_signer().sign(what, payload, s3_time);
    return authorization(what);
}

}  // namespace

TEST_CASE("the signing guide's ListUsers request gets the published signature", "[protocol][s3]") {
    request what = make("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                        {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
    sigv4({"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}, "us-east-1", "iam")
        .sign(what, empty_hash, suite_time);
    CHECK(authorization(what) ==
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
          "SignedHeaders=content-type;host;x-amz-date, "
          "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST_CASE("the test suite's requests get the published signatures", "[protocol][s3]") {
    const std::string host = "https://example.amazonaws.com";
    CHECK(suite_signature(make("GET", host + "/")) ==
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    CHECK(suite_signature(make("POST", host + "/")) ==
          "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    CHECK(suite_signature(make("GET", host + "/?Param2=value2&Param1=value1")) ==
          "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    CHECK(suite_signature(make("GET", host + "/\xE1\x88\xB4")) ==
          "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
    CHECK(suite_signature(make("GET", host + "/?\xE1\x88\xB4=bar")) ==
          "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
    CHECK(suite_signature(make("GET", host + "/", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}})) ==
          "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST_CASE("Amazon S3's examples get the published signatures", "[protocol][s3]") {
    const std::string bucket = "https://examplebucket.s3.amazonaws.com";
    CHECK(s3_authorization(make("GET", bucket + "/test.txt", {{"Range", "bytes=0-9"}})) ==
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
          "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
          "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    CHECK(signature_of(s3_authorization(
              make("PUT", bucket + "/test$file.text",
                   {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}),
              detail::to_hex(detail::digest_of("sha-256", "Welcome to Amazon S3.")))) ==
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    CHECK(signature_of(s3_authorization(make("GET", bucket + "/?lifecycle"))) ==
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    CHECK(signature_of(s3_authorization(make("GET", bucket + "/?max-keys=2&prefix=J"))) ==
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("Amazon S3's presigned example gets the published URL", "[protocol][s3]") {
    request what = make("GET", "https://examplebucket.s3.amazonaws.com/test.txt");
    s3_signer().presign(what, s3_time, std::chrono::seconds(86400));
    CHECK(what.url ==
          "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
          "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="
          "86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
          "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    CHECK(what.headers.empty());
}

TEST_CASE("what is signed is what is sent: every byte but the unreserved ones is encoded", "[protocol][s3]") {
    CHECK(detail::canonical_path("") == "/");
    CHECK(detail::canonical_path("/a b+c") == "/a%20b%2Bc");
    CHECK(detail::canonical_path("/%c3%a9/%7E~") == "/%C3%A9/~~");
    CHECK(detail::canonical_path("/a%2Fb//c/") == "/a/b//c/");
    CHECK(detail::canonical_path("/()!'*@:=&$,") == "/%28%29%21%27%2A%40%3A%3D%26%24%2C");
    CHECK(detail::canonical_path("/100%/%zz%4") == "/100%25/%25zz%254");
    CHECK(detail::canonical_query("").empty());
    CHECK(detail::canonical_query("uploads") == "uploads=");
    CHECK(detail::canonical_query("uploadId=2~a/b%2Bc&partNumber=10") == "partNumber=10&uploadId=2~a%2Fb%2Bc");
    CHECK(detail::canonical_query("b=2&&a=2&a=1&=x") == "=x&a=1&a=2&b=2");

    request what = make("PUT", "http://LOCALHOST:80/b/a%20b?uploadId=x/y&partNumber=1");
    s3_signer().sign(what, detail::unsigned_payload, s3_time);
    CHECK(what.url == "http://localhost/b/a%20b?partNumber=1&uploadId=x%2Fy");
    what = make("PUT", "http://localhost:8080/b/k");
    s3_signer().sign(what, detail::unsigned_payload, s3_time);
    CHECK(what.url == "http://localhost:8080/b/k");
}

TEST_CASE("temporary keys send their token signed", "[protocol][s3]") {
    const sigv4 signer({"AK", "secret", "to/ken+"}, "eu-west-1");
    request what = make("PUT", "https://h/b/k");
    signer.sign(what, empty_hash, s3_time);
    CHECK(single_header(what.headers, "X-Amz-Security-Token") == "to/ken+");
    CHECK(authorization(what).find(";x-amz-security-token,") != std::string::npos);
    CHECK(authorization(what).find("secret,") == std::string::npos);
    what = make("PUT", "https://h/b/k");
    signer.presign(what, s3_time, std::chrono::seconds(60));
    CHECK(what.url.find("&X-Amz-Security-Token=to%2Fken%2B&") != std::string::npos);
}

}  // namespace waybill::test
