// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3/xml.hpp>

#include "support/catch.hpp"

#include <string>

namespace waybill::detail {
namespace {

const std::string declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";
const std::string name_space = R"( xmlns="http://s3.amazonaws.com/doc/2006-03-01/")";

std::string part(int number, const std::string& more) {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber>" + more + "</Part>";
}
std::string list(const std::string& inside) {
    return declaration + "\n<ListPartsResult" + name_space + ">" + inside + "</ListPartsResult>";
}

}  // namespace

TEST_CASE("an S3 error is read from its document", "[s3]") {
    const s3_error e = parse_s3_error(declaration +
                                      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong\nregion</Message>"
                                      "<Region>eu-west-1</Region><Endpoint>b.s3.eu-west-1.test</Endpoint>"
                                      "<RequestId>1</RequestId></Error>");
    CHECK(e.code == "AuthorizationHeaderMalformed");
    CHECK(e.message == "wrong region");
    CHECK(e.region == "eu-west-1");
    CHECK(e.endpoint == "b.s3.eu-west-1.test");
    CHECK(e);
    CHECK(parse_s3_error("<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>").code == "Throttling");
}

TEST_CASE("what is no S3 error is none", "[s3]") {
    const std::string body = GENERATE("", "   ", "<html><body>502</body></html>", "<Error><Code>Slow", "no XML", "<",
                                      "<Error/>", "<Other><Code>SlowDown</Code></Other>");
    CAPTURE(body);
    CHECK_FALSE(parse_s3_error(body));
}

TEST_CASE("an upload's id is read, with whatever characters it has", "[s3]") {
    CHECK(parse_upload_id("<InitiateMultipartUploadResult" + name_space +
                          "><UploadId>2~a&amp;b/+=</UploadId></InitiateMultipartUploadResult>") == "2~a&b/+=");
    CHECK(parse_upload_id("<InitiateMultipartUploadResult/>").empty());
    CHECK(parse_upload_id("<Other><UploadId>1</UploadId></Other>").empty());
    CHECK(parse_upload_id("<InitiateMultipartUploadResult><UploadId>" + std::string(5000, 'x') +
                          "</UploadId></InitiateMultipartUploadResult>")
              .empty());
}

TEST_CASE("a list of parts is read, and where it goes on", "[s3]") {
    const std::string body =
        list("<NextPartNumberMarker>7</NextPartNumberMarker><IsTruncated>true</IsTruncated>" +
             part(3, "<Size>5242880</Size><ETag>&quot;abc&quot;</ETag><ChecksumCRC32C>yZRlqg==</ChecksumCRC32C>") +
             part(7, "<Size>1</Size><ETag>\"def\"</ETag>"));
    const auto found = parse_part_list(body, "crc32c");
    REQUIRE(found);
    CHECK(found->next == 7);
    REQUIRE(found->parts.size() == 2);
    CHECK(found->parts[0].number == 3);
    CHECK(found->parts[0].size == 5242880);
    CHECK(found->parts[0].etag == "\"abc\"");
    CHECK(found->parts[0].checksum == "yZRlqg==");
    CHECK(found->parts[1].etag == "\"def\"");
    CHECK(found->parts[1].checksum.empty());
    CHECK(parse_part_list(body, "")->parts[0].checksum.empty());
}

TEST_CASE("a list of parts that does not say where it goes on goes on after its last part", "[s3]") {
    const auto found =
        parse_part_list(list("<IsTruncated>true</IsTruncated>" + part(4, "<Size>1</Size><ETag>a</ETag>") +
                             part(3, "<Size>1</Size><ETag>a</ETag>")),
                        "");
    REQUIRE(found);
    CHECK(found->next == 4);
}

TEST_CASE("the last page of a list of parts says so", "[s3]") {
    const auto found = parse_part_list(list("<IsTruncated>false</IsTruncated><NextPartNumberMarker>0"
                                            "</NextPartNumberMarker>"),
                                       "");
    REQUIRE(found);
    CHECK(found->parts.empty());
    CHECK(found->next == 0);
}

TEST_CASE("a list of parts that is cut off or makes no sense is none", "[s3]") {
    const std::string good = part(1, "<Size>1</Size><ETag>a</ETag>");
    const std::string body = GENERATE_COPY(
        std::string(), list(good).substr(0, 150), list(part(1, "<ETag>a</ETag>")), list(part(1, "<Size>1</Size>")),
        list(part(0, "<Size>1</Size><ETag>a</ETag>")), list(part(1, "<Size>-1</Size><ETag>a</ETag>")),
        list(part(1, "<Size>99999999999999999999</Size><ETag>a</ETag>")), list("<IsTruncated>true</IsTruncated>"),
        std::string("<Error><Code>NoSuchUpload</Code></Error>"));
    CAPTURE(body);
    CHECK_FALSE(parse_part_list(body, ""));
}

TEST_CASE("an S3 server's XML can neither define entities nor nest us to death", "[s3]") {
    const std::string bomb = R"(<!DOCTYPE Error [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>)"
                             "<Error><Code>&b;</Code></Error>";
    CHECK(parse_s3_error(bomb).code == "&b;");
    std::string deep;
    for (int i = 0; i < 100'000; ++i) {
        deep += "<a>";
    }
    CHECK_FALSE(parse_s3_error(deep));
    CHECK_FALSE(parse_s3_error("<Error><Code>SlowDown</Code>" + std::string(5 << 20, ' ') + "</Error>"));
}

TEST_CASE("completion is told from an error that comes with the same status", "[s3]") {
    const auto made = parse_completed("  \n" + declaration + "<CompleteMultipartUploadResult" + name_space +
                                      "><ETag>\"abc-2\"</ETag><ChecksumCRC32C>4waSgw==</ChecksumCRC32C>"
                                      "</CompleteMultipartUploadResult>");
    REQUIRE(made);
    CHECK(made->etag == "\"abc-2\"");
    CHECK(made->checksum == "4waSgw==");
    CHECK_FALSE(parse_completed("<Error><Code>InternalError</Code></Error>"));
    CHECK_FALSE(parse_completed("   "));
    CHECK_FALSE(parse_completed("<CompleteMultipartUploadResult>"));
}

TEST_CASE("completion names every part with its ETag and checksum", "[s3]") {
    CHECK(complete_document({{"\"a<b\"", ""}, {"c", ""}}, "") ==
          "<CompleteMultipartUpload" + name_space +
              "><Part><PartNumber>1</PartNumber><ETag>\"a&lt;b\"</ETag></Part>"
              "<Part><PartNumber>2</PartNumber><ETag>c</ETag></Part></CompleteMultipartUpload>");
    CHECK_THAT(complete_document({{"a", "c3Vt"}}, "sha256"),
               Catch::Contains("<ETag>a</ETag><ChecksumSHA256>c3Vt</ChecksumSHA256></Part>"));
    CHECK_THAT(complete_document({{"a", "c3Vt"}}, "crc32c"), Catch::Contains("<ChecksumCRC32C>c3Vt</ChecksumCRC32C>"));
}

}  // namespace waybill::detail
