// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <filesystem>

using namespace waybill::test;

namespace {

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
        command_line what;
        what.argv = {program, server.url(path), dir / "store/uploads.db"};
        what.argv.insert(what.argv.end(), files.begin(), files.end());
        return run_process(what);
    }
};

}  // namespace

TEST_CASE("quickstart delivers a post and says so") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_QUICKSTART, "/posts", {s.a, s.b});
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    CHECK_THAT(done.out, Catch::Contains("100 %\n") && Catch::Contains(" is completed"));
    CHECK(read_file(s.server.received("a.jpg")) == s.content_a);
    CHECK(read_file(s.server.received("b.jpg")) == s.content_b);
}

TEST_CASE("quickstart says what is wrong with a file that is not there") {
    const scene s;
    const finished_process done = s.run(EXAMPLE_QUICKSTART, "/posts", {s.dir / "missing.jpg"});
    CHECK(done.status.code == 1);
    CHECK_THAT(done.err, Catch::Contains("missing.jpg") && Catch::Contains("does not exist"));
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
    CHECK_THAT(done.out, Catch::StartsWith("accepted ") && Catch::EndsWith("\ncompleted\n"));
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

TEST_CASE("every example says how it is used") {
    for (const std::string program :
         {EXAMPLE_QUICKSTART, EXAMPLE_WATCH, EXAMPLE_CUSTOM_PROTOCOL, EXAMPLE_RENDER_LOOP}) {
        command_line what;
        what.argv = {program};
        const finished_process done = run_process(what);
        CHECK(done.status.code == 2);
        CHECK_THAT(done.err, Catch::StartsWith("usage: "));
    }
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
