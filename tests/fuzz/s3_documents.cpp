// SPDX-License-Identifier: BSL-1.0
//
// What an S3 server answers, and what a checkpoint holds of an object: whatever it says, what is made of it is
// bounded, and what is sent back names it safely.

#include <waybill/protocol/s3/plan.hpp>
#include <waybill/protocol/s3/xml.hpp>

#include "fuzz/property.hpp"

#include <string>

namespace waybill::fuzz {

void check(std::string_view input) {
    const std::string body(input);
    const detail::s3_error e = detail::parse_s3_error(body);
    require(e.code.size() <= 128 && e.message.size() <= 256 && e.region.size() <= 64, "an error is bounded");
    require(!has_control(e.code) && !has_control(e.message), "an error has no control characters");
    require(detail::parse_upload_id(body).size() <= 2048, "an upload's id is bounded");
    const auto completed = detail::parse_completed(body);
    require(!completed || !e, "a completion is no error");
    require(!completed || completed->etag.size() <= 256, "an object's ETag is bounded");
    if (const auto list = detail::parse_part_list(body, "crc32c")) {
        std::vector<detail::s3_sent_part> parts;
        for (const detail::s3_listed_part& part : list->parts) {
            require(part.number != 0 && !part.etag.empty() && part.etag.size() <= 256, "a listed part is sound");
            parts.push_back({part.etag, part.checksum});
        }
        const std::string document = detail::complete_document(parts, "crc32c");
        require(!detail::parse_completed(document) && !detail::parse_s3_error(document), "what is sent is no answer");
    }
    if (const auto state = detail::decode_s3_state(input)) {
        const std::string text = detail::encode_s3_state(*state);
        const auto again = detail::decode_s3_state(text);
        require(again && detail::encode_s3_state(*again) == text, "an object's state keeps what it says");
        require(state->parts.size() <= detail::most_s3_parts, "an object has at most 10,000 parts");
        for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{5} << 40}) {
            require(!detail::covers(*state, size) || state->confirmed(size) <= size,
                    "no more is confirmed than there is");
        }
    }
}

}  // namespace waybill::fuzz
