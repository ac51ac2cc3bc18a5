// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/tus.hpp>

#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/environment.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/tus_server.hpp"

#include <asio/use_future.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Secrets that sing when somebody keeps them: every artefact is searched for them.
namespace waybill::test {
namespace {

const std::string authorization = "canary-authorization-5d1c9f";
const std::string session_cookie = "canary-cookie-77ab20";
const std::string proxy_password = "canary-proxy-c02e5a";
const std::string proxy_pair = detail::to_base64("me:" + proxy_password);
const std::string s3_secret = "canary-s3-secret-19de44";
const std::string s3_token = "canary-s3-token-e8b3f0";
const std::string signature = "canary-signature-40f7aa";
const std::string server_cookie = "canary-set-cookie-2b6610";
// As in the query of a URL, and as who decodes it writes it.
const std::string encoded_query = "canary%2Bquery%2f81c3%3D";
const std::string decoded_query = "canary+query/81c3=";

std::vector<std::string> never_kept() {
    return {authorization, session_cookie, proxy_password, proxy_pair, s3_secret, s3_token, server_cookie};
}

/// Every file of a folder, names and contents.
std::string all_files(const std::filesystem::path& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        all += entry.path().string() + "\n";
        if (entry.is_regular_file()) {
            all += read_file(entry.path());
        }
    }
    return all;
}

void check_silent(const std::string& where, const std::string& text, const std::vector<std::string>& secrets) {
    for (const std::string& canary : secrets) {
        INFO(canary << " in " << where);
        CHECK(text.find(canary) == std::string::npos);
    }
}

/// A debugging page that shows the request it is about, credentials and all.
reply echo(const received_request& r, int status) {
    return reply(status, {{"Set-Cookie", "s=" + server_cookie}, {"ETag", "\"" + r.header("Authorization") + "\""}},
                 "<pre>you sent:\n" + r.head + "</pre> sas: " + decoded_query);
}

/// Everything a picture tells.
std::string told_by(const job_snapshot& job) {
    const diagnostics& d = job.error.details;
    std::string all = job.about->url + " " + job.about->protocol + " " + job.about->lane + " " +
                      job.negotiated_protocol + " " + job.error.message() + " " + d.transport_text + " " + d.excerpt +
                      " " + d.detail;
    for (std::size_t i = 0; i < job.item_count(); ++i) {
        all += " " + job.item(i).name + " " + job.item(i).path + " " + job.item(i).receipt;
    }
    return all;
}

}  // namespace

TEST_CASE("the command keeps and shows no secret, whatever becomes of its jobs") {
    const environment_variable key("WAYBILL_TEST_TOKEN", "Bearer " + authorization);
    const environment_variable id("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    const environment_variable secret("AWS_SECRET_ACCESS_KEY", s3_secret);
    const environment_variable token("AWS_SESSION_TOKEN", s3_token);
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", random_bytes(300'000));
    const auto add = [&](const std::string& name, const std::string& via) {
        waybill.add({"--to", server.url("/" + name) + "?X-Signature=" + signature, "--via", via, "--id", name, "--lane",
                     name, "--header", "X-Visible: canary-that-is-kept", file});
    };
    // Answers by the job's name: accepted, refused, failing, wanting credentials, redirecting.
    server.otherwise([](const received_request& r) {
        const auto has = [&](const char* name) { return r.target.find(name) != std::string::npos; };
        reply answer = echo(r, has("refused") ? 403 : has("broken") ? 500 : has("elsewhere") ? 302 : 200);
        if (has("elsewhere")) {
            answer.headers.push_back({"Location", "http://127.0.0.1:1/?q=" + r.header("Authorization")});
        }
        return answer;
    });
    server.next(script("stall").read_body(100'000).hold());
    for (const std::string via : {"put", "multipart"}) {
        for (const std::string name : {"accepted", "refused", "broken", "elsewhere"}) {
            add(via + "-" + name, via);
        }
    }
    const std::vector<std::string> run = {"run",  "--until-idle", "--progress",
                                          "json", "--credential", server.url("") + "=WAYBILL_TEST_TOKEN"};
    const std::string out = waybill.dir() / "out";
    {
        process first = waybill.start(run, out);
        server.wait_for_body(1, 100'000);
        first.kill(SIGKILL);
        REQUIRE(first.wait(std::chrono::seconds(20)));
    }
    const std::string crashed = all_files(std::filesystem::path(waybill.store()).parent_path());
    CHECK(crashed.find("-wal") != std::string::npos);
    CHECK(crashed.find("canary-that-is-kept") != std::string::npos);  // the search finds what is there
    check_silent("the files after a crash", crashed, never_kept());

    // The broken PUT is tried for a long time: it is stopped once all have had their turn.
    process second = waybill.start(run, waybill.dir() / "out2");
    server.log().wait_until("every job's request", [](const http_log::requests& all) {
        std::size_t answered = 0;
        for (const received_request& r : all) {
            answered += r.over ? 1 : 0;
        }
        return answered >= 9;
    });
    second.kill(SIGTERM);
    REQUIRE(second.wait(std::chrono::seconds(20)));
    std::size_t with_secret = 0;
    for (const received_request& r : server.requests()) {
        with_secret += r.header("Authorization") == "Bearer " + authorization ? 1 : 0;
    }
    CHECK(with_secret >= 8);
    check_silent("the files", all_files(std::filesystem::path(waybill.store()).parent_path()), never_kept());
    std::vector<std::string> never_shown = never_kept();
    never_shown.push_back(signature);
    const std::string shown = read_file(out) + read_file(waybill.dir() / "out2") + read_file(waybill.dir() / "err") +
                              waybill.run({"list"}).out + waybill.run({"list", "--json"}).out;
    CHECK(shown.find("put-accepted") != std::string::npos);
    CHECK(shown.find("403") != std::string::npos);
    check_silent("what is printed", shown, never_shown);
}

TEST_CASE("snapshots, receipts and errors hold no secret that a server repeats") {
    const temp_dir dir;
    http_server server;
    const int status_code = GENERATE(200, 400, 401, 500);
    const bool form = GENERATE(false, true);
    CAPTURE(status_code, form);
    server.otherwise([&](const received_request& r) { return echo(r, status_code); });
    options how = quick_options(dir);
    how.retry.attempts = 2;
    how.credentials = [](const std::string&) {
        return header_list{{"Authorization", "Bearer " + authorization}, {"Cookie", session_cookie}};
    };
    {
        delivery uploads(how);
        job one(server.url("/x?sig=" + signature + "&sas=" + encoded_query));
        if (form) {
            one.via(multipart{});
        }
        one.bytes("x", "content");
        const job_snapshot done = uploads.waiting(uploads.enqueue(one));
        INFO(describe(done));
        CHECK(done.error.details.excerpt.find("you sent") != (status_code == 200 ? 0 : std::string::npos));
        check_silent("the snapshot", told_by(done), never_kept());
        check_silent("the snapshot", told_by(done), {signature, encoded_query, decoded_query});
    }
    CHECK(server.requests().at(0).header("Cookie") == session_cookie);
    check_silent("the store", all_files(dir.path()), never_kept());
}

TEST_CASE("credentials that cannot be sent are in no error and in no file") {
    const temp_dir dir;
    http_server server;
    options how = quick_options(dir);
    how.credentials = [](const std::string&) {
        return header_list{{"Authorization", "Bearer " + authorization + "\r"}};
    };
    {
        delivery uploads(how);
        job one(server.url("/x"));
        one.bytes("x", "content");
        const job_snapshot held = uploads.waiting(uploads.enqueue(one));
        CHECK(held.reason == wait_reason::credentials);
        check_silent("the snapshot", told_by(held), never_kept());
    }
    CHECK(server.requests().empty());
    check_silent("the store", all_files(dir.path()), never_kept());
}

TEST_CASE("of a job that was removed the store keeps no signature, also while its server is still to be cleaned up") {
    const temp_dir dir;
    tus_server server;
    server.fault = [](const received_request& r) -> std::optional<reply> {
        if (r.method == "PATCH") {
            return reply(403);
        }
        return r.method == "DELETE" ? std::optional<reply>(503) : std::nullopt;
    };
    {
        delivery uploads(quick_options(dir));
        job one(server.url() + "?sig=" + signature);
        one.via(tus{}).field("album", "canary-field").bytes("x", std::string(100'000, 'x'));
        const job_id id = uploads.enqueue(one);
        CHECK(uploads.settled(id).status == status::failed);
        uploads.up().async_remove(id, asio::use_future).get();
        server.http.log().wait_until("the clean-up", [](const http_log::requests& all) {
            return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.method == "DELETE"; });
        });
    }
    check_silent("the store", all_files(dir.path()), {signature, "canary-field"});
}

TEST_CASE("a proxy's password is in no error and in no file") {
    const temp_dir dir;
    http_server proxy;
    options how = quick_options(dir);
    how.retry.attempts = 2;
    std::string target = "http://far.invalid/x";
    SECTION("the proxy refuses") {
        proxy.otherwise([](const received_request& r) { return echo(r, 407); });
        how.http.proxy = "http://me:" + proxy_password + "@127.0.0.1:" + std::to_string(proxy.port());
    }
    SECTION("the proxy fails") {
        proxy.otherwise([](const received_request& r) { return echo(r, 502); });
        how.http.proxy = "http://me:" + proxy_password + "@127.0.0.1:" + std::to_string(proxy.port());
    }
    SECTION("the proxy refuses a tunnel") {
        target = "https://far.invalid/x";
        proxy.otherwise([](const received_request& r) { return echo(r, 403); });
        how.http.proxy = "http://me:" + proxy_password + "@127.0.0.1:" + std::to_string(proxy.port());
    }
    SECTION("nobody listens") {
        how.http.proxy = "http://me:" + proxy_password + "@127.0.0.1:1";
    }
    SECTION("its name does not resolve") {
        how.http.proxy = "http://me:" + proxy_password + "@no-proxy.invalid:3128";
    }
    SECTION("it is malformed: the uploader is not made") {
        how.http.proxy = "http://me:" + proxy_password + "@[broken";
        std::string said;
        try {
            const delivery never(how);
        } catch (const error& e) {
            said = e.what();
        }
        CHECK(!said.empty());
        check_silent("the refusal", said, never_kept());
        return;
    }
    {
        delivery uploads(how);
        job one(target);
        one.bytes("x", "content");
        const job_snapshot done = uploads.waiting(uploads.enqueue(one));
        INFO(describe(done));
        CHECK(done.status != status::completed);
        check_silent("the snapshot", told_by(done), never_kept());
    }
    check_silent("the store", all_files(dir.path()), never_kept());
}

}  // namespace waybill::test
