// SPDX-License-Identifier: BSL-1.0
#include "support/resumable_server.hpp"

#include <waybill/detail/digest.hpp>
#include <waybill/http/structured_fields.hpp>

#include <algorithm>
#include <chrono>

namespace waybill::test {
namespace {

using detail::boolean_field;
using detail::size_field;

std::string boolean(bool value) {
    return value ? "?1" : "?0";
}

std::optional<std::uint64_t> limit(const std::string& limits, std::string_view key) {
    for (const auto& [name, value] : detail::parse_dictionary(limits).value_or(detail::field_dictionary())) {
        if (name == key) {
            return static_cast<std::uint64_t>(value.number);
        }
    }
    return std::nullopt;
}

}  // namespace

resumable_server::resumable_server(resumable_behaviour how, http_server_options options)
    : how_(std::move(how)), server_(std::move(options)) {
    server_.always(script("").then([this](exchange& x) { serve(x); }));
}

void resumable_server::behave(const std::function<void(resumable_behaviour&)>& change) {
    const std::lock_guard lock(mutex_);
    change(how_);
}

void resumable_server::expire() {
    const std::lock_guard lock(mutex_);
    uploads_.clear();
}

std::vector<resumable_server::delivered> resumable_server::arrived() const {
    const std::lock_guard lock(mutex_);
    return arrived_;
}

std::vector<std::string> resumable_server::violations() const {
    const std::lock_guard lock(mutex_);
    return violations_;
}

std::uint64_t resumable_server::bytes_taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

std::size_t resumable_server::open_uploads() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(uploads_.begin(), uploads_.end(), [](const auto& u) { return !u.second->complete; }));
}

int resumable_server::canceled() const {
    const std::lock_guard lock(mutex_);
    return canceled_;
}

resumable_behaviour resumable_server::behaviour() const {
    const std::lock_guard lock(mutex_);
    return how_;
}

bool resumable_server::require(bool kept, const std::string& otherwise) {
    if (!kept) {
        const std::lock_guard lock(mutex_);
        violations_.push_back(otherwise);
    }
    return kept;
}

resumable_server::handle resumable_server::find(const std::string& target) const {
    const std::lock_guard lock(mutex_);
    const auto found = uploads_.find(target);
    return found == uploads_.end() ? nullptr : found->second;
}

header_list resumable_server::fields(const resumable_behaviour& how, std::uint64_t offset, bool complete) const {
    return {{"Upload-Draft-Interop-Version", std::to_string(how.interop)},
            {"Upload-Offset", std::to_string(static_cast<std::int64_t>(offset) + how.offset_lie)},
            {"Upload-Complete", boolean(complete)}};
}

/// Of the target's own answer: interop version 6 does not say there that the upload is complete.
header_list resumable_server::answer_fields(const resumable_behaviour& how, std::uint64_t offset) const {
    header_list said = fields(how, offset, true);
    if (how.interop == 6) {
        std::erase_if(said, [](const header_field& h) { return h.name == "Upload-Complete"; });
    }
    return said;
}

void resumable_server::serve(exchange& x) {
    x.read_head();
    const received_request r = x.seen();
    const resumable_behaviour how = behaviour();
    x.pass_body_to([this](std::string_view bytes) {
        const std::lock_guard lock(mutex_);
        taken_ += bytes.size();
    });
    if (r.method == "OPTIONS") {
        x.answer({204, {{"Upload-Limit", how.limits}}});
        return;
    }
    if (size_field(r.headers, "Upload-Draft-Interop-Version") != static_cast<std::uint64_t>(how.interop)) {
        x.answer({412, {{"Connection", "close"}}, "another interop version"});
        return;
    }
    if (r.method == "POST" || r.method == "PUT") {
        create(x, r);
        return;
    }
    const handle mine = find(r.target);
    if (!mine) {
        x.answer({404, {{"Connection", "close"}}});
    } else if (r.method == "HEAD") {
        tell(x, mine);
    } else if (r.method == "PATCH") {
        append(x, r, mine);
    } else if (r.method == "DELETE") {
        const std::lock_guard lock(mutex_);
        canceled_ += mine->complete ? 0 : 1;
        mine->holder = next_holder_++;
        uploads_.erase(r.target);
        x.answer({204});
    } else {
        x.answer({405});
    }
}

void resumable_server::create(exchange& x, const received_request& r) {
    const resumable_behaviour how = behaviour();
    const auto complete = boolean_field(r.headers, "Upload-Complete");
    if (!require(complete.has_value(), r.method + " without Upload-Complete")) {
        x.answer({400});
        return;
    }
    const auto mine = std::make_shared<upload>();
    mine->what = {r.method, r.target, r.headers, {}};
    mine->length = size_field(r.headers, "Upload-Length");
    require(mine->length.has_value(), "a known length was not told");
    require(!*complete || !mine->length || mine->length == r.body_length, "two lengths for one upload");
    mine->wanted_digest = r.header("Want-Repr-Digest").empty() ? "" : "sha-256";
    std::string path;
    {
        const std::lock_guard lock(mutex_);
        path = "/uploads/" + std::to_string(next_++);
        uploads_[path] = mine;
    }
    const std::string location = how.location_prefix + path;
    if (how.interim) {
        x.interim(104, {{"Upload-Draft-Interop-Version", std::to_string(how.interop)},
                        {"Location", location},
                        {"Upload-Limit", how.limits}});
    }
    receive(x, r, mine, *complete, location);
}

void resumable_server::append(exchange& x, const received_request& r, const handle& to) {
    const auto offset = size_field(r.headers, "Upload-Offset");
    const auto complete = boolean_field(r.headers, "Upload-Complete");
    require(r.header("Content-Type") == "application/partial-upload", "an append of another type");
    if (!require(offset && complete, "an append without offset or completeness")) {
        x.answer({400, {{"Connection", "close"}}});
        return;
    }
    const resumable_behaviour how = behaviour();
    std::uint64_t there = 0;
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        there = to->what.body.size();
        closed = to->complete;
    }
    if (closed && *offset == there && r.body_length == 0 && *complete) {
        if (how.replays) {
            x.answer({how.target_status, answer_fields(how, there), "replayed"});
        } else {
            x.answer({400,
                      {{"Content-Type", "application/problem+json"}},
                      R"({"type":"https://iana.org/assignments/http-problem-types#completed-upload"})"});
        }
        return;
    }
    if (closed || *offset != there) {
        header_list said = fields(how, there, false);
        said.push_back({"Content-Type", "application/problem+json"});
        said.push_back({"Connection", "close"});
        x.answer(
            {409, said, R"({"type":"https://iana.org/assignments/http-problem-types#mismatching-upload-offset"})"});
        return;
    }
    receive(x, r, to, *complete, "");
}

void resumable_server::receive(exchange& x, const received_request& r, const handle& to, bool last,
                               const std::string& location) {
    resumable_behaviour how = behaviour();
    const std::uint64_t announced = r.body_length.value_or(0);
    if (announced > 0) {
        require(announced <= limit(how.limits, "max-append-size").value_or(announced), "more than max-append-size");
        require(last || announced >= limit(how.limits, "min-append-size").value_or(0), "less than min-append-size");
    }
    int me = 0;
    std::uint64_t begin = 0;
    {
        const std::lock_guard lock(mutex_);
        me = to->holder = next_holder_++;
        begin = to->what.body.size();
        if (!how_.cuts.empty() && announced > 0) {
            how_.cuts.pop_front();
        }
    }
    require(!to->length || begin + announced <= *to->length, "more bytes than the upload's length");
    if (how.body_limit != 0 && announced > how.body_limit) {
        x.answer({413, {{"Connection", "close"}}});
        return;
    }
    x.pass_body_to([&](std::string_view bytes) {
        const std::lock_guard lock(mutex_);
        taken_ += bytes.size();
        if (to->holder != me) {
            throw peer_gone();  // the client has come back on another connection
        }
        to->what.body.append(bytes);
    });
    const std::uint64_t cut = how.cuts.empty() || announced == 0 ? exchange::everything : how.cuts.front();
    const std::uint64_t piece = how.progress_every != 0 ? how.progress_every : how.rate > 0 ? 64 << 10 : 1 << 20;
    while (!x.complete() && x.taken() < cut) {
        x.read_body(std::min(cut, x.taken() + piece));
        if (how.rate > 0) {
            x.wire().pause(std::chrono::milliseconds(static_cast<int>(1000.0 * static_cast<double>(piece) / how.rate)));
        }
        if (how.progress_every != 0 && !x.complete()) {
            const auto offset = static_cast<std::int64_t>(begin + x.taken()) + how.interim_lie;
            x.interim(104, {{"Upload-Draft-Interop-Version", std::to_string(how.interop)},
                            {"Upload-Offset", std::to_string(offset)}});
        }
    }
    if (!x.complete()) {
        x.wire().reset();
        return;
    }
    if (last) {
        finish(x, to);
        return;
    }
    if (!location.empty()) {
        bool lost = false;
        behave([&](resumable_behaviour& b) { lost = b.lost_creations-- > 0; });
        if (lost) {
            x.wire().reset();
            return;
        }
    }
    header_list said = fields(how, begin + announced, false);
    if (!location.empty()) {
        said.push_back({"Location", location});
        said.push_back({"Upload-Limit", how.limits});
    }
    x.answer({location.empty() ? 204 : 201, said});
}

void resumable_server::finish(exchange& x, const handle& to) {
    bool lost = false;
    resumable_behaviour how;
    header_list said;
    {
        const std::lock_guard lock(mutex_);
        to->complete = true;
        arrived_.push_back(to->what);
        lost = how_.lost_answers-- > 0;
        how = how_;
        if (how.forgets_completed) {
            std::erase_if(uploads_, [&](const auto& u) { return u.second == to; });
        }
        said = answer_fields(how, to->what.body.size());
        if (how.repr_digest && !to->wanted_digest.empty()) {
            const std::string sum = detail::digest_of("sha-256", to->what.body + (how.digest_lies ? "!" : ""));
            said.push_back({"Repr-Digest", "sha-256=:" + detail::to_base64(sum) + ":"});
        }
    }
    int spoilt = 0;
    behave([&](resumable_behaviour& b) {
        if (!b.spoilt_answers.empty()) {
            spoilt = b.spoilt_answers.front();
            b.spoilt_answers.pop_front();
        }
    });
    if (spoilt != 0) {
        x.answer({spoilt, {{"Upload-Draft-Interop-Version", std::to_string(how.interop)}}, "spoilt"});
    } else if (lost) {
        x.wire().reset();
    } else {
        x.answer({how.target_status, said, "stored"});
    }
}

void resumable_server::tell(exchange& x, const handle& of) {
    const std::lock_guard lock(mutex_);
    of->holder = next_holder_++;  // what is still being received of an earlier request is over
    header_list said = fields(how_, of->what.body.size(), of->complete);
    if (of->length) {
        said.push_back({"Upload-Length", std::to_string(*of->length)});
    }
    said.push_back({"Upload-Limit", how_.limits});
    said.push_back({"Cache-Control", "no-store"});
    x.answer({204, said});
}

}  // namespace waybill::test
