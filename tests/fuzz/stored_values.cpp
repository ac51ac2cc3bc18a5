// SPDX-License-Identifier: BSL-1.0
//
// The encoded values inside the store's columns, and a credentials file: bytes that may be damaged
// or somebody else's. What is decoded can be encoded and decoded to the same.

#include <waybill/detail/digest.hpp>
#include <waybill/protocol/resumable/upload.hpp>
#include <waybill/protocol/s3_credentials.hpp>
#include <waybill/protocol/tus/rules.hpp>
#include <waybill/store/detail/rows.hpp>

#include "fuzz/property.hpp"

#include <string>

namespace waybill::fuzz {
namespace {

void pairs(std::string_view input) {
    detail::decoder in(input);
    const detail::string_pairs list = in.pairs();
    require(in.ok() || list.empty(), "what is malformed is nothing");
    if (in.finished()) {
        const std::string text = detail::encode(list);
        require(text.size() <= input.size(), "what is encoded is no longer than what was read");
        detail::decoder again(text);
        require(again.pairs() == list && again.finished(), "pairs keep every byte");
    }
}

void errors(std::string_view input) {
    stored_error e;
    if (detail::decode(input, e)) {
        require(e.details.http_status >= 0 && e.details.http_status <= 999, "a status has three digits");
        stored_error again;
        require(!e || (detail::decode(detail::encode(e), again) && again == e), "an error keeps what it says");
        static_cast<void>(e.message());
    }
}

void specs(std::string_view input) {
    job_spec spec;
    if (detail::decode(input, spec)) {
        job_spec again;
        require(detail::decode(detail::encode(spec), again) && detail::encode(again) == detail::encode(spec),
                "a specification keeps what it says");
    }
}

void tus(std::string_view input) {
    const auto state = detail::decode_tus_state(input);
    if (!state) {
        return;
    }
    require(state->parts.size() <= 64, "the parts of an upload are bounded");
    for (const detail::tus_part& p : state->parts) {
        require(p.offset <= p.length, "a part is not longer than itself");
    }
    const std::string text = detail::encode_tus_state(*state);
    const auto again = detail::decode_tus_state(text);
    require(again && detail::encode_tus_state(*again) == text, "an upload's state keeps what it says");
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{1} << 40}) {
        require(!detail::covers(*state, size) || state->confirmed() <= size, "no more is confirmed than there is");
    }
}

void resumable(std::string_view input) {
    if (const auto state = detail::resumable_state::decode(input)) {
        const auto again = detail::resumable_state::decode(state->encode());
        require(again && again->encode() == state->encode(), "an upload's state keeps what it says");
    }
}

void digests(std::string_view input) {
    for (const char* name : {"sha-256", "sha-1", "md5", "crc32c"}) {
        const auto digest = detail::digest::make(name);
        const std::string fresh = digest->state();
        if (!digest->restore(input)) {
            require(digest->state() == fresh, "a refused state changes nothing");
            continue;
        }
        const auto again = detail::digest::make(name);
        require(again->restore(digest->state()), "a state taken up can be put aside");
        again->update({"abc", 3});
        digest->update({"abc", 3});
        require(again->value() == digest->value(), "a digest continues where it was");
    }
}

void credentials(std::string_view input) {
    if (const auto found = find_s3_profile(input, "default")) {
        require(!found->access_key.empty() && !found->secret_key.empty(), "half a pair of keys is none");
        require((found->access_key + found->secret_key).find('\n') == std::string::npos, "a key is one line");
        const std::string value = found->access_key + found->secret_key + found->session_token + found->region;
        require(value.size() <= input.size(), "a profile has no more than its file");
        const std::string again =
            "[default]\naws_access_key_id=" + found->access_key + "\naws_secret_access_key=" + found->secret_key + "\n";
        const auto same = find_s3_profile(again, "default");
        require(same && same->access_key == found->access_key && same->secret_key == found->secret_key,
                "keys that were read are read again as they are");
    }
}

}  // namespace

void check(std::string_view input) {
    pairs(input);
    errors(input);
    specs(input);
    tus(input);
    resumable(input);
    digests(input);
    credentials(input);
}

}  // namespace waybill::fuzz
