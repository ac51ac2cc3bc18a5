// SPDX-License-Identifier: BSL-1.0
#include "support/fault_scripts.hpp"

#include <chrono>
#include <string>

namespace waybill::test {
namespace {

constexpr std::uint64_t some = 100'000;  // of the body

// A script that reads everything and then writes bytes as they are.
script answers_raw(std::string name, std::string raw) {
    return script(std::move(name)).read_all().send(std::move(raw)).linger();
}

std::string with_status(std::string name, int status) {
    return std::move(name) + " " + std::to_string(status);
}

}  // namespace

std::string_view to_string(aftermath a) noexcept {
    switch (a) {
        case aftermath::incomplete: return "incomplete";
        case aftermath::open: return "open";
        case aftermath::delivered: return "delivered";
        case aftermath::try_later: return "try later";
        case aftermath::credentials: return "credentials";
        case aftermath::refused: return "refused";
        case aftermath::see_there: return "see there";
    }
    return "?";
}

void plan(http_server& server, const fault& f) {
    server.next(std::vector<script>(static_cast<std::size_t>(f.times), f.how));
}

void plan(http_server& server, const fault& f, const std::function<bool(const received_request&)>& which) {
    fault chosen = f;
    if (!chosen.how.begins_at_accept()) {
        chosen.how.only_if(which);
    }
    plan(server, chosen);
}

std::vector<fault> connection_faults() {
    std::vector<fault> all;
    const auto add_mid_body = [&](const script& how, bool stalls = false) {
        all.push_back({how, aftermath::incomplete, true, stalls});
    };
    add_mid_body(script("closes before it reads").at_accept().close());
    add_mid_body(script("resets before it reads").reset());
    // Of a TLS client these are of its handshake.
    add_mid_body(
        script("resets at the first bytes").at_accept().then([](exchange& x) { x.wire().wait_for_bytes(); }).reset());
    add_mid_body(script("closes after the head").read_head().close());
    add_mid_body(script("resets after the head").read_head().reset());
    add_mid_body(script("closes in mid-body").read_body(some).close());
    add_mid_body(script("resets in mid-body").read_body(some).reset());
    add_mid_body(script("vanishes in mid-body").read_body(some).drop());
    add_mid_body(script("stalls before it reads").hold(), true);
    add_mid_body(script("stalls after the head").read_head().hold(), true);
    add_mid_body(script("stalls in mid-body").read_body(some).hold(), true);

    const auto add = [&](const script& how, aftermath after, bool stalls = false) {
        all.push_back({how, after, false, stalls});
    };
    add(script("closes after the body").read_all().close(), aftermath::open);
    add(script("resets after the body").read_all().reset(), aftermath::open);
    add(script("vanishes after the body").read_all().drop(), aftermath::open);
    add(script("stalls before its answer").read_all().hold(), aftermath::open, true);
    add(script("stalls in its status line").read_all().send("HTTP/1.1 20").hold(), aftermath::open, true);
    add(script("stalls in its headers").read_all().send("HTTP/1.1 200 OK\r\nX").hold(), aftermath::open, true);
    // One byte a second: it gets on, and would for ever.
    const std::chrono::seconds drop_by_drop(1);
    add(script("drips its answer")
            .read_all()
            .send_slowly("HTTP/1.1 200 OK\r\n" + std::string(60, 'X'), 1, drop_by_drop),
        aftermath::open, true);
    add(script("drips its answer's body")
            .read_all()
            .answer({200, {{"Content-Length", "99"}}, "a"})
            .send_slowly(std::string(98, 'b'), 1, drop_by_drop),
        aftermath::delivered, true);
    add(script("stalls in its answer's body").read_all().answer({200, {{"Content-Length", "9"}}, "abc"}).hold(),
        aftermath::delivered, true);
    return all;
}

std::vector<fault> early_answers() {
    std::vector<fault> all;
    const header_list closing{{"Connection", "close"}};
    const auto add = [&](const script& how, aftermath after) { all.push_back({how, after, true, false}); };
    const auto closes = [&](int status, aftermath after) {
        script how(with_status("early and closing", status));
        add(how.read_body(some).answer({status, closing}).linger(), after);
    };
    closes(200, aftermath::incomplete);
    closes(201, aftermath::incomplete);
    closes(204, aftermath::incomplete);
    closes(401, aftermath::credentials);
    closes(413, aftermath::refused);
    closes(417, aftermath::try_later);
    closes(429, aftermath::try_later);
    closes(500, aftermath::incomplete);
    closes(503, aftermath::try_later);
    add(script("early 200, then reset").read_body(some).answer({200}).reset(), aftermath::incomplete);
    add(script("early 200, then the rest").read_body(some).answer({200}).read_all(), aftermath::delivered);
    add(script("early 413 on a kept connection").read_body(some).answer({413}), aftermath::refused);
    add(script("100, then early 403").read_head().interim(100).answer({403, closing}).linger(), aftermath::refused);
    add(script("104, then reset in mid-body").read_head().interim(104).read_body(some).reset(), aftermath::incomplete);
    return all;
}

std::vector<fault> late_answers() {
    std::vector<fault> all;
    const auto add = [&](int status, aftermath after, const header_list& headers = {}) {
        std::string name = with_status("late", status);
        for (const header_field& h : headers) {
            name += ", " + h.name + " '" + h.value + "'";
        }
        all.push_back({script(std::move(name)).read_all().answer({status, headers, "text"}), after});
    };
    for (const int status : {200, 201, 202, 204, 226}) {
        add(status, aftermath::delivered);
    }
    for (const int status : {300, 301, 302}) {
        add(status, aftermath::see_there);  // without a Location
    }
    for (const int status : {304, 307, 308}) {
        add(status, aftermath::refused);  // without a Location
    }
    add(302, aftermath::see_there, {{"Location", "/elsewhere"}});
    add(307, aftermath::refused, {{"Location", "http://other.invalid/"}});
    add(308, aftermath::refused, {{"Location", "file:///etc/passwd"}});
    for (const int status :
         {400, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 451, 501, 505, 206, 207, 999}) {
        add(status, aftermath::refused);
    }
    add(307, aftermath::refused, {{"Location", "http://127.0.0.1/"}});  // from https to http, too
    add(401, aftermath::credentials);
    add(407, aftermath::credentials);
    all.push_back({script("late 401, twice").read_all().answer({401}), aftermath::credentials, false, false, 2});
    all.push_back({script("307 in circles").read_all().answer({307, {{"Location", "?again"}}}), aftermath::refused,
                   false, false, 6});
    for (const int status : {408, 417, 421, 423, 425, 429, 503, 509, 511, 529, 530}) {
        add(status, aftermath::try_later);
    }
    for (const std::string value : {"0", "-1", "soon", "", "Fri, 31 Dec 1999 23:59:59 GMT",
                                    "Fri, 31 Dec 2100 23:59:59 GMT", "1000000000000000000"}) {
        add(503, aftermath::try_later, {{"Retry-After", value}});
    }
    for (const int status : {500, 502, 504, 507, 520, 524, 599}) {
        add(status, aftermath::open);
    }
    return all;
}

std::vector<fault> malformed_answers() {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    std::vector<fault> all;
    const auto open = [&](std::string name, std::string raw) {
        all.push_back({answers_raw(std::move(name), std::move(raw)), aftermath::open});
    };
    const auto delivered = [&](std::string name, std::string raw) {
        all.push_back({answers_raw(std::move(name), std::move(raw)), aftermath::delivered});
    };
    open("half a status line", "HTTP/1.1 2");
    open("half a head", ok + "Content-Le");
    open("an empty line", "\r\n");
    open("another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n");
    open("HTTP/0.9", "<html>hello</html>");
    open("no status", "HTTP/1.1 OK\r\n\r\n");
    open("status 20", "HTTP/1.1 20 OK\r\n\r\n");
    open("only interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    delivered("a head of 300 KB", ok + "X: " + std::string(300'000, 'a') + "\r\n\r\n");
    std::string many = ok;
    for (int i = 0; i < 10'000; ++i) {
        many += "X-" + std::to_string(i) + ": value\r\n";
    }
    delivered("10,000 headers", many + "\r\n");
    all.push_back(
        {script("a flood of 102").read_all().send_forever("HTTP/1.1 102 Processing\r\n\r\n"), aftermath::open});
    all.push_back(
        {script("headers without an end").read_all().send(ok).send_forever("X: y\r\n"), aftermath::delivered});
    delivered("a body shorter than announced", ok + "Content-Length: 100\r\n\r\nshort");
    delivered("a body longer than announced", ok + "Content-Length: 2\r\n\r\nlonger");
    delivered("chunks without an end", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    delivered("a chunk of no size", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n");
    delivered("folded headers", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n");
    delivered("two lengths that differ", ok + "Content-Length: 5\r\nContent-Length: 2\r\n\r\nhi");
    delivered("a length beyond 63 bits", ok + "Content-Length: 9223372036854775808\r\n\r\nhi");
    delivered("an endless trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(300'000, 'a'));
    open("a negative length", ok + "Content-Length: -5\r\n\r\n");
    open("a NUL in a header", ok + std::string("X: a\0b\r\nContent-Length: 0\r\n\r\n", 29));
    open("a header without a colon", ok + "nonsense\r\nContent-Length: 0\r\n\r\n");
    delivered("interim answers first",
              "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n");
    all.push_back({script("a body without an end").read_all().send(ok + "\r\n").send_forever(std::string(9000, 'a')),
                   aftermath::delivered});
    return all;
}

std::vector<fault> all_faults() {
    std::vector<fault> all;
    for (const auto& some_faults : {connection_faults(), early_answers(), late_answers(), malformed_answers()}) {
        all.insert(all.end(), some_faults.begin(), some_faults.end());
    }
    return all;
}

}  // namespace waybill::test
