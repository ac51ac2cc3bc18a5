// SPDX-License-Identifier: BSL-1.0
//
// A server's answer as it comes from the wire: status line, headers, body. Whatever it says, what
// is made of it is bounded, and nothing but a clean success is one.

#include <waybill/engine/run/requests.hpp>
#include <waybill/http/representation.hpp>
#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/shared/upload_fields.hpp>
#include <waybill/protocol/tus/rules.hpp>
#include <waybill/transport/detail/response_reader.hpp>

#include "fuzz/property.hpp"

#include <string>

namespace waybill::fuzz {
namespace {

constexpr std::int64_t now = 1'893'456'000;
const std::string asked = "https://server.test/files/a?x=1";

response received(std::string_view input) {
    request_limits limits;
    limits.response_headers = 4096;
    limits.response_body = 512;
    detail::response_reader reader(limits);
    bool sound = true;
    while (sound && reader.final_status() == 0 && !input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n') + 1);
        sound = reader.line(line.empty() ? input : line);
        input.remove_prefix(line.empty() ? input.size() : line.size());
        if (const auto interim = reader.take_interim()) {
            require(interim->status >= 100 && interim->status < 200, "an interim answer is a 1xx");
            static_cast<void>(detail::parse_upload_fields(interim->headers));
        }
    }
    const bool whole = reader.final_status() != 0 && reader.body(input);
    response r;
    reader.move_to(r);
    require(r.status == 0 || (r.status >= 200 && r.status <= 999), "a final status is 200 to 999");
    require(r.body.size() <= limits.response_body, "the body kept is bounded");
    require(r.status == 0 || whole == !r.body_truncated, "a body that was cut is marked");
    std::size_t bytes = 0;
    for (const header_field& h : r.headers) {
        bytes += h.name.size() + h.value.size();
        require(!h.name.empty() && (h.name + h.value).find('\n') == std::string::npos, "a field is one line");
    }
    require(bytes <= limits.response_headers, "the headers kept are bounded");
    return r;
}

void judged(const response& r, bool idempotent) {
    const verdict v = judge(r, idempotent);
    require(!v.accepted || (classify_status(r.status) == status_class::success && r.has_left),
            "only a 2xx after the whole body is a success");
    require(v.what != disposition::ambiguous || (!idempotent && r.may_have_left),
            "before the last byte nothing is ambiguous");
    try {
        require_accepted(r, idempotent, now);
        require(v.accepted, "what is not accepted throws");
    } catch (const failure& f) {
        require(!v.accepted, "what is accepted does not throw");
        require(!has_control(f.details().excerpt) && f.details().excerpt.size() <= 1024, "an excerpt is printable");
        require(!f.retry_after() || (f.retry_after()->count() >= 0 && f.retry_after()->count() <= 400LL * 24 * 3600),
                "Retry-After is clamped");
    }
}

void redirected(const response& r) {
    request again;
    again.url = asked;
    if (detail::redirected(again, r, 0)) {
        require(url(again.url).origin() == url(asked).origin(), "a redirect stays within its origin");
        require(r.status == 307 || r.status == 308, "only 307 and 308 are followed");
    }
    try {
        const std::string to = detail::tus_location(r, asked, 0);
        require(url(to).origin() == url(asked).origin() && !has_control(to), "an upload stays within its origin");
    } catch (const failure& f) {
        require(f.what_to_do() == disposition::permanent, "a useless Location is no reason to ask again");
    }
}

void resumed(const response& r) {
    const detail::upload_fields fields = detail::parse_upload_fields(r.headers);
    constexpr std::uint64_t most = 999'999'999'999'999;
    require(fields.offset.value_or(0) <= most && fields.length.value_or(0) <= most, "integers have 15 digits");
    const detail::tus_offer offer = detail::parse_tus_offer(r);
    require(offer.extensions.size() <= 4096, "a list is bounded");
    const std::string chosen = offer.checksum_for("any");
    require(chosen.empty() || !detail::digest_for_tus(chosen).empty(), "a checksum chosen is one we can compute");
    static_cast<void>(detail::tus_expiry(r, now));
    static_cast<void>(detail::parse_upload_problem(r));
    static_cast<void>(detail::parse_repr_digest(r.headers, "sha-256"));
}

}  // namespace

void check(std::string_view input) {
    response r = received(input);
    for (const int how_far : {0, 1, 2}) {
        r.may_have_left = how_far > 0;
        r.has_left = how_far > 1;
        judged(r, false);
        judged(r, true);
    }
    redirected(r);
    resumed(r);
}

}  // namespace waybill::fuzz
