// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/tus/item.hpp>

#include <string>
#include <utility>

// Concatenates several uploads into one.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> tus_item::concatenate() {
    if (state_.final_url.empty()) {
        require_known();
        std::string parts = "final;";
        for (const tus_part& p : state_.parts) {
            parts += (parts.back() == ';' ? "" : " ") + p.url;
        }
        request make = tus_request("POST", job_.spec().url, false);
        make.headers.push_back(header_field{"Upload-Concat", std::move(parts)});
        make.headers.push_back(header_field{"Upload-Metadata", metadata()});
        make.conditional = true;
        make.purpose = "concatenate";
        make.idempotent = false;  // two of them are two uploads
        make.assembles = size();
        const response got = co_await send(std::move(make), nullptr, 0);
        if (got.status == 400 || got.status == 404 || got.status == 409 || got.status == 410) {
            // A part is missing after all: the next attempt asks for each.
            fail(disposition::retry, make_http_error(got.status), got, "the parts cannot be concatenated");
        }
        job_.require(got, index_, false);
        require_tus(got);
        state_.final_url = tus_location(got, job_.spec().url, index_);
        // It was created. The intent stays until that was verified, so that a failed query does not end the job.
        checkpoint made = reached();
        co_await job_.save_with_intent(std::move(made));
    }
    co_await verify_final();
}

WAYBILL_DECL asio::awaitable<void> tus_item::verify_final() {
    request head = tus_request("HEAD", state_.final_url, false);
    const response got = co_await send(std::move(head), nullptr, 0);
    if (judge(got, true).what == disposition::permanent) {
        co_return;  // the server has deleted it, or does not reveal it
    }
    job_.require(got, index_);
    const auto offset = parse_decimal(got.header("Upload-Offset").value_or(""));
    const auto length = parse_decimal(got.header("Upload-Length").value_or(""));
    if ((offset && *offset != size()) || (length && *length != size())) {
        co_await contradicted(got, "the concatenated upload has not " + std::to_string(size()) + " bytes");
    }
    if (!offset) {
        fail(disposition::busy, errc::invalid_response, got, "the server is still concatenating");
    }
}

}  // namespace waybill::detail
