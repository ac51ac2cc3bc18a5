// SPDX-License-Identifier: BSL-1.0
#include "support/http_script.hpp"

#include <algorithm>

namespace waybill::test {

script& script::at_accept() {
    at_accept_ = true;
    return *this;
}

script& script::only_for(std::string method) {
    return only_if([method = std::move(method)](const received_request& r) { return r.method == method; });
}

script& script::only_if(std::function<bool(const received_request&)> condition) {
    condition_ = std::move(condition);
    return *this;
}

script& script::read_head() {
    return then([](exchange& x) { x.read_head(); });
}

script& script::read_body(std::uint64_t up_to) {
    return then([up_to](exchange& x) { x.read_body(up_to); });
}

script& script::read_all() {
    return then([](exchange& x) { x.read_body(); });
}

script& script::read_slowly(std::size_t piece, std::chrono::milliseconds pause) {
    return then([piece, pause](exchange& x) {
        x.read_head();
        for (std::uint64_t at = piece; !x.complete(); at += piece) {
            x.wire().pause(pause);
            x.read_body(at);
        }
    });
}

script& script::hold(valve until) {
    return then([until = std::move(until)](exchange& x) { x.wire().wait_for(until.fd()); });
}

script& script::hold() {
    return then([](exchange& x) {
        x.wire().wait_for_end();
        throw peer_gone();
    });
}

script& script::interim(int status, header_list headers) {
    return then([status, headers = std::move(headers)](exchange& x) { x.interim(status, headers); });
}

script& script::answer(reply what) {
    return then([what = std::move(what)](exchange& x) { x.answer(what); });
}

script& script::send(std::string raw) {
    return then([raw = std::move(raw)](exchange& x) { x.send(raw); });
}

script& script::send_slowly(std::string raw, std::size_t piece, std::chrono::milliseconds pause) {
    return then([raw = std::move(raw), piece, pause](exchange& x) {
        for (std::size_t at = 0; at < raw.size(); at += piece) {
            x.wire().pause(pause);
            x.send(std::string_view(raw).substr(at, piece));
        }
    });
}

script& script::send_forever(std::string raw) {
    return then([raw = std::move(raw)](exchange& x) {
        for (;;) {
            x.send(raw);
        }
    });
}

script& script::close() {
    return then([](exchange& x) { x.wire().close(); });
}

script& script::drop() {
    return then([](exchange& x) { x.wire().drop(); });
}

script& script::linger() {
    return then([](exchange& x) {
        x.wire().finish_sending();
        x.wire().discard_until_end();
        x.wire().drop();
    });
}

script& script::reset() {
    return then([](exchange& x) { x.wire().reset(); });
}

script& script::then(step what) {
    steps_.push_back(std::move(what));
    return *this;
}

void script::play(exchange& with) const {
    with.met(name_);
    for (const step& s : steps_) {
        if (!with.wire().open()) {
            return;
        }
        s(with);
    }
}

}  // namespace waybill::test
