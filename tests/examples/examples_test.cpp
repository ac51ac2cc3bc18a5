// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/digest.hpp>

#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/resumable_server.hpp"
#include "support/s3_server.hpp"
#include "support/tus_server.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>

using namespace waybill::test;

namespace {

const std::vector<std::string> all_examples = {
    EXAMPLE_QUICKSTART, EXAMPLE_WATCH,          EXAMPLE_RENDER_LOOP, EXAMPLE_SURVIVE_A_CRASH, EXAMPLE_UNKNOWN_OUTCOME,
    EXAMPLE_TUS_UPLOAD, EXAMPLE_RESUMABLE_FORM, EXAMPLE_ANY_SERVER,  EXAMPLE_S3_UPLOAD,       EXAMPLE_CUSTOM_PROTOCOL};

/// Two files, a place for a store, and the demo server.
struct scene {
    temp_dir dir;
    receiver server;
    std::string content_a = random_bytes(300'000, 1);
    std::string content_b = random_bytes(50'000, 2);
    std::string a = dir.write("a.jpg", content_a);
    std::string b = dir.write("b.jpg", content_b);

    finished_process run(const std::string& program, const std::string& path,
                         const std::vector<std::string>& files) const {
        return run_to(program, server.url(path), files);
    }
    finished_process run_to(const std::string& program, const std::string& url,
                            const std::vector<std::string>& more) const {
        command_line what;
        what.argv = {program, url, dir / "store/uploads.db"};
        what.argv.insert(what.argv.end(), more.begin(), more.end());
        return run_process(what);
    }
};

}  // namespace

TEST_CASE("quickstart uploads files, and says so") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_QUICKSTART, "/files/", {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK(done.out == "completed \n");
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
    CHECK(read_file(s.server.received("b.jpg")) == s.content_b);
}

TEST_CASE("survive_a_crash delivers a post and says so") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_SURVIVE_A_CRASH, "/posts", {"Istanbul", s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK_THAT(done.out, Catch::Contains("uploading ") && Catch::EndsWith("completed 100 % \n"));
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
    CHECK(read_file(s.server.received("b.jpg")) == s.content_b);
}

TEST_CASE("survive_a_crash goes on with its post after a kill, and sends it once however often it is started") {
    const scene s;
    http_server server(reads_little());
    server.next(script("stall").read_body(1).hold());
    const std::string film = s.dir.write("film.mov", random_bytes(beyond_buffers));
    command_line what;
    what.argv = {EXAMPLE_SURVIVE_A_CRASH, server.url("/posts"), s.dir / "store/uploads.db", "Istanbul", s.a, film};
    what.out_file = s.dir / "out";
    {
        process killed(what);
        server.wait_for_body(1, 1);
        killed.kill(SIGKILL);
        REQUIRE(killed.wait(std::chrono::seconds(60)) == exit_status{-1, SIGKILL});
    }
    for (int i = 0; i < 2; ++i) {
        const finished_process done = run_process(what);
        CHECK(done.status.code == 0);
        CHECK_THAT(done.out, Catch::EndsWith("completed 100 % \n"));
        REQUIRE(server.requests().size() == 2);
    }
    CHECK(server.requests()[1].body.find(s.content_a) != std::string::npos);
}

TEST_CASE("what an example cannot know, because the answer was lost, it says, and ends") {
    const scene s;
    http_server server;
    const std::map<std::string, std::vector<std::string>> programs = {{EXAMPLE_SURVIVE_A_CRASH, {"Istanbul", s.a}},
                                                                      {EXAMPLE_ANY_SERVER, {s.a}}};
    for (const auto& [program, more] : programs) {
        INFO(program);
        server.next(script("answer lost").only_for("POST").read_all().close());
        const finished_process done = s.run_to(program, server.url("/posts"), more);
        CHECK(done.status.code == 1);
        CHECK_THAT(done.out, Catch::Contains("unknown_outcome "));
    }
}

TEST_CASE("unknown_outcome ends as it was decided") {
    struct decided {
        std::string decision;
        std::string last_line;
        int code;
        std::size_t requests;
    };
    for (const decided& expected : {decided{"arrived", "completed", 0, 1}, decided{"missing", "completed", 0, 2},
                                    decided{"unwanted", "canceled", 1, 1}}) {
        INFO(expected.decision);
        const scene s;
        http_server server;
        server.next(script("answer lost").read_all().close());
        const finished_process done =
            s.run_to(EXAMPLE_UNKNOWN_OUTCOME, server.url("/posts"), {"Istanbul", expected.decision, s.a});
        CHECK(done.status.code == expected.code);
        CHECK(done.err.empty());
        CHECK_THAT(done.out, Catch::StartsWith("unknown_outcome ") && Catch::Contains("\n" + expected.last_line + " "));
        CHECK(server.requests().size() == expected.requests);
    }
}

TEST_CASE("unknown_outcome has nothing to decide when the server answers") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_UNKNOWN_OUTCOME, "/posts", {"Istanbul", "missing", s.a});
    CHECK(done.status.code == 0);
    CHECK(done.out == "completed \n");
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
}

TEST_CASE("watch shows each job's states, and ends when all are done") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_WATCH, "/files/", {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK_THAT(done.out, Catch::Contains(": uploading\n") && Catch::Contains(": completed\n") &&
                             Catch::Contains("2 jobs completed, 350000 bytes sent\n"));
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
    CHECK(read_file(s.server.received("b.jpg")) == s.content_b);
}

TEST_CASE("custom_protocol speaks its own protocol") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_CUSTOM_PROTOCOL, "/files", {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.out == "completed \n");
    CHECK(read_file(s.server.received("0")) == s.content_a);
    CHECK(read_file(s.server.received("1")) == s.content_b);
}

TEST_CASE("render_loop draws until its job is done") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_RENDER_LOOP, "/files/", {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK_THAT(done.out, Catch::Contains(" % \r") || Catch::Contains(" % \n"));
    CHECK_THAT(done.out, Catch::EndsWith("\ndone\n"));
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
    CHECK(read_file(s.server.received("b.jpg")) == s.content_b);
}

TEST_CASE("tus_upload says where each file is and what its digest is") {
    const scene s;
    const tus_server tus;
    const finished_process done = s.run_to(EXAMPLE_TUS_UPLOAD, tus.url(), {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    const std::string sum = waybill::detail::to_base64(waybill::detail::digest_of("sha-256", s.content_a));
    CHECK_THAT(done.out, Catch::StartsWith("a.jpg: " + tus.url() + "/1 sha-256=:" + sum + ":\n"));
    CHECK_THAT(done.out, Catch::EndsWith("\ncompleted \n"));
    CHECK((tus.uploads().at("/files/1").data == s.content_a));
    CHECK((tus.uploads().at("/files/2").data == s.content_b));
    CHECK_THAT(tus.uploads().at("/files/2").metadata, Catch::StartsWith("album SXN0YW5idWw=,"));
}

TEST_CASE("resumable_form delivers one form, and shows each file's progress") {
    const scene s;
    resumable_server forms;
    const finished_process done = s.run_to(EXAMPLE_RESUMABLE_FORM, forms.url("/posts"), {"by the sea", s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK_THAT(done.out, Catch::EndsWith("a.jpg 100 %  b.jpg 100 %  \ncompleted \n"));
    REQUIRE(forms.arrived().size() == 1);
    const std::string body = forms.arrived()[0].body;
    for (const std::string& part : {std::string("by the sea"), s.content_a, s.content_b}) {
        CHECK(body.find(part) != std::string::npos);
    }
}

TEST_CASE("s3_upload says what each object's ETag is") {
    const scene s;
    s3_server bucket;
    command_line what;
    what.argv = {EXAMPLE_S3_UPLOAD, bucket.url("/photos/"), s.dir / "store/uploads.db", s.a, s.b};
    what.env = {{"AWS_ACCESS_KEY_ID", s3_server::access_key}, {"AWS_SECRET_ACCESS_KEY", s3_server::secret_key}};
    const finished_process done = run_process(what);
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK_THAT(done.out, Catch::StartsWith("a.jpg: " + bucket.objects().at("/photos/a.jpg").etag + "\n"));
    CHECK_THAT(done.out, Catch::EndsWith("\ncompleted \n"));
    CHECK((bucket.objects().at("/photos/a.jpg").data == s.content_a));
    CHECK((bucket.objects().at("/photos/b.jpg").data == s.content_b));
}

TEST_CASE("any_server finds out what is spoken") {
    const scene s;
    const tus_server tus;
    resumable_server forms;
    CHECK(s.run_to(EXAMPLE_ANY_SERVER, tus.url(), {s.a}).out == "sent by tus: completed \n");
    CHECK(s.run_to(EXAMPLE_ANY_SERVER, forms.url("/posts"), {s.a}).out == "sent by resumable: completed \n");
    CHECK(s.run(EXAMPLE_ANY_SERVER, "/files/", {s.a}).out == "sent by put: completed \n");
    CHECK(s.run(EXAMPLE_ANY_SERVER, "/posts", {s.a}).out == "sent by multipart: completed \n");
}

TEST_CASE("every example says what it was refused for, and ends") {
    const scene s;
    const std::string missing = s.dir / "missing.jpg";
    std::map<std::string, std::vector<std::string>> programs;
    for (const std::string& program : all_examples) {
        programs[program] = {};
    }
    programs[EXAMPLE_SURVIVE_A_CRASH] = programs[EXAMPLE_RESUMABLE_FORM] = {"name"};
    programs[EXAMPLE_UNKNOWN_OUTCOME] = {"name", "missing"};
    const auto with = [](std::vector<std::string> more, const std::string& file) {
        more.push_back(file);
        return more;
    };
    for (const auto& [program, more] : programs) {
        INFO(program);
        const finished_process no_file = s.run_to(program, "http://127.0.0.1:9/a/b", with(more, missing));
        CHECK(no_file.status.code == 1);
        CHECK_THAT(no_file.err, Catch::Contains("missing.jpg") && Catch::Contains("does not exist"));

        const finished_process no_url = s.run_to(program, "ftp://host/", with(more, s.a));
        CHECK(no_url.status.code == 1);
        CHECK_THAT(no_url.err, Catch::Contains("use http:// or https://"));

        s.dir.write("store/uploads.db", "no database");
        const finished_process no_store = s.run_to(program, "http://127.0.0.1:9/a/b", with(more, s.a));
        CHECK(no_store.status.code == 1);
        CHECK_THAT(no_store.err, Catch::Contains("is not a database"));
        std::filesystem::remove_all(s.dir / "store");
    }
}

TEST_CASE("every example says how it is used") {
    for (const std::string& program : all_examples) {
        INFO(program);
        const std::string usage = "usage: " + std::filesystem::path(program).filename().string() + " <";
        command_line what;
        what.argv = {program};
        const finished_process nothing = run_process(what);
        CHECK(nothing.status.code == 2);
        CHECK_THAT(nothing.err, Catch::StartsWith(usage));
        CHECK(nothing.out.empty());

        what.argv = {program, "http://127.0.0.1:9/", "/store/uploads.db"};
        const finished_process too_few = run_process(what);
        CHECK(too_few.status.code == 2);
        CHECK(too_few.err == nothing.err);

        what.argv = {program, "--help"};
        const finished_process asked = run_process(what);
        CHECK(asked.status.code == 0);
        CHECK(asked.out == nothing.err);
        CHECK(asked.err.empty());
    }
}

TEST_CASE("an example that takes one file refuses two") {
    command_line what;
    what.argv = {EXAMPLE_ANY_SERVER, "http://127.0.0.1:9/", "/store/uploads.db", "a.jpg", "b.jpg"};
    const finished_process done = run_process(what);
    CHECK(done.status.code == 2);
    CHECK_THAT(done.err, Catch::StartsWith("usage: "));
}

TEST_CASE("the list of examples names each") {
    const std::string list = read_file(std::filesystem::path(WAYBILL_EXAMPLES) / "README.md");
    for (const auto& entry : std::filesystem::directory_iterator(WAYBILL_EXAMPLES)) {
        if (entry.path().extension() == ".cpp") {
            CHECK_THAT(list, Catch::Contains("(" + entry.path().filename().string() + ")"));
        }
    }
}

TEST_CASE("README's first program has at most 25 lines") {
    const std::string text = read_file(std::filesystem::path(WAYBILL_EXAMPLES).parent_path() / "README.md");
    const std::size_t begin = text.find("```cpp\n") + 7;
    const auto first = text.begin() + static_cast<std::ptrdiff_t>(begin);
    CHECK(std::count(first, text.begin() + static_cast<std::ptrdiff_t>(text.find("```\n", begin)), '\n') <= 25);
}

TEST_CASE("examples fit on a screen or two") {
    for (const auto& entry : std::filesystem::directory_iterator(WAYBILL_EXAMPLES)) {
        if (entry.path().extension() == ".cpp" && entry.path().filename() != "waybill.cpp") {
            const std::string text = read_file(entry.path());
            INFO(entry.path().filename());
            CHECK(std::count(text.begin(), text.end(), '\n') <= 80);
        }
    }
}
