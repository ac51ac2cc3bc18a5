// SPDX-License-Identifier: BSL-1.0

// Trouble that passes ends no job; what is a job's own fault ends it, and holds up nobody.

#include "component/world.hpp"

#include <algorithm>
#include <stdexcept>

using namespace waybill;
using namespace waybill::detail;
using namespace waybill::test;
using namespace std::chrono_literals;

namespace {

/// Jobs of one item each for a host, in so many lanes.
void add_jobs(world& w, int count, int lanes, const std::string& host = "http://server.test/") {
    for (int i = 0; i < count; ++i) {
        job j(host + std::to_string(i));
        j.lane("lane" + std::to_string(i % lanes)).file("/a");
        w.add(std::move(j));
    }
}

response redirect(int status, const std::string& to) {
    response r = fake_transport::respond(status);
    r.headers.push_back({"Location", to});
    return r;
}

}  // namespace

TEST_CASE("a host that cannot serve for a day and a half ends no job, and is asked rarely") {
    const int lanes = GENERATE(1, 5);
    const int accepts_and_hangs_up = 1;
    const int never_answers = 2;
    const int status =
        GENERATE_COPY(0, accepts_and_hangs_up, never_answers, 502, 503, 504, 429, 425, 509, 511, 521, 529, 530);
    CAPTURE(status, lanes);
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    const auto begun = around.clock->steady_now();
    const auto away = [&] { return around.clock->steady_now() - begun < 36h; };
    int asked = 0;
    w.transport().next_fault = [&](const request&) {
        asked += away() ? 1 : 0;
        if (!away()) {
            return fault();
        }
        switch (status) {
            case 0: return fault{fault::kind::refused, 0};
            case accepts_and_hangs_up: return fault{fault::kind::cut, 0};
            case never_answers: return fault{fault::kind::silent, 0};
            default: around.answers.push_back(fake_transport::respond(status)); return fault();
        }
    };
    add_jobs(w, 20, lanes);
    w.start();
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 20);
    CHECK(asked < 36 * 60 / 2);  // every two and a half minutes at the most
    CHECK(around.clock->steady_now() - begun < 37h);
}

TEST_CASE("a host that cannot serve for longer than a job may be old ends the job, with the reason") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    w.transport().next_fault = [&](const request&) { return fault{fault::kind::refused, 0}; };
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(w.at("one").reason == wait_reason::network);
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::expired);
    CHECK_THAT(w.at("one").error.message(), Catch::Contains(make_error_code(errc::connect_failed).message()));
    CHECK(around.clock->steady_now() - begun >= 24h * 7 - 1min);
}

TEST_CASE("Retry-After is obeyed with whatever status it comes") {
    const int status = GENERATE(400, 403, 404, 408, 413, 421, 429, 500, 501, 503);
    CAPTURE(status);
    surroundings around;
    around.files->write("/a", "x");
    response later = fake_transport::respond(status);
    later.headers.push_back({"Retry-After", "600"});
    around.answers = {later, later, later};
    world w(around, [](options& o) { o.retry.attempts = 2; });
    const auto begun = around.clock->steady_now();
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(w.at("one").reason == wait_reason::server_busy);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.clock->steady_now() - begun >= 30min);
}

TEST_CASE("a login page of the network is not the server's word") {
    const response portal = GENERATE(redirect(302, "http://login.portal.test/"), redirect(307, "https://portal.test/"),
                                     fake_transport::respond(511));
    surroundings around;
    around.files->write("/a", "x");
    around.answers.assign(20, portal);
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until([&] { return w.at("one").status == status::waiting; });
    CHECK(w.at("one").reason == wait_reason::network);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a redirect that is meant fails the job at once") {
    const response moved = GENERATE(redirect(301, "http://other.test/"), redirect(302, "/elsewhere"),
                                    redirect(308, "https://server.test/files/a"));
    surroundings around;
    around.files->write("/a", "x");
    around.answers = {moved};
    world w(around);
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").error.code == errc::redirect_refused);
}

TEST_CASE("jobs of the same lane that go to other hosts pass one whose host is down") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    bool down = true;
    w.transport().next_fault = [&](const request& what) {
        return down && what.url.find("down.test") != std::string::npos ? fault{fault::kind::refused, 0} : fault();
    };
    const auto job_for = [](const std::string& id, const std::string& host, lane_order order) {
        job j("http://" + host + "/" + id);
        j.id(job_id(id)).lane("photos", order).file("/a");
        return j;
    };
    SECTION("by default") {
        w.add(job_for("d1", "down.test", lane_order::by_origin));
        w.add(job_for("d2", "down.test", lane_order::by_origin));
        w.add(job_for("u1", "up.test", lane_order::by_origin));
        w.add(job_for("u2", "up.test", lane_order::by_origin));
        w.start();
        w.until([&] { return w.at("u2").status == status::completed; });
        CHECK(w.at("d1").status == status::waiting);
        CHECK(w.at("d2").status == status::pending);  // in order among themselves
        down = false;
        w.until_idle();
        CHECK(around.urls() == std::vector<std::string>{"http://up.test/u1", "http://up.test/u2", "http://down.test/d1",
                                                        "http://down.test/d2"});
    }
    SECTION("but not where strict order was asked for, also after a restart") {
        w.add(job_for("d1", "down.test", lane_order::strict));
        w.add(job_for("u1", "up.test", lane_order::strict));
        w.start();
        const auto begun = around.clock->steady_now();
        w.until([&] { return around.clock->steady_now() - begun > 3h; });
        CHECK(w.at("u1").status == status::pending);
        w.run(w.up().async_stop());
        world next(around);
        next.start();
        next.until_idle();
        CHECK(around.urls() == std::vector<std::string>{"http://down.test/d1", "http://up.test/u1"});
    }
}

TEST_CASE("a job that its server fails at, or hangs up on, lets others pass, and fails after its attempts") {
    const fault::kind how = GENERATE(fault::kind::none, fault::kind::cut, fault::kind::silent);  // none: it answers 500
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/poison", "x");
    world w(around);
    w.transport().next_fault = [&](const request& what) {
        if (what.url.find("poison") == std::string::npos) {
            return fault();
        }
        if (how == fault::kind::none) {
            around.answers = {fake_transport::respond(500)};
        }
        return fault{how, 0};
    };
    w.add(put_job("bad", {"/poison"}));
    w.add(put_job("good", {"/a"}));
    w.add(put_job("better", {"/a"}));
    w.start();
    const auto begun = around.clock->steady_now();
    w.until([&] { return w.at("better").status == status::completed; });
    CHECK(around.clock->steady_now() - begun < (how == fault::kind::none ? 10s : 60s));
    CHECK(w.at("bad").status == status::waiting);
    CHECK((w.at("bad").reason == wait_reason::server_error) == (how == fault::kind::none));
    w.until_idle();
    CHECK(w.at("bad").status == status::failed);
    CHECK((w.at("bad").error.code == make_http_error(500)) == (how == fault::kind::none));
    CHECK_THAT(w.at("bad").error.message(), Catch::Contains("no progress in 12 attempts"));
    CHECK(around.clock->steady_now() - begun < 2h);
}

TEST_CASE("jobs that a host refuses, and only these, hold up no others, however many they are") {
    const int status = GENERATE(401, 429, 502, 503, 504, 507, 521);
    // Credentials that one job was refused with are shown for the others, too, but ever more rarely: accounts get
    // locked.
    const int refused = status == 401 ? 1 : 3;
    CAPTURE(status, refused);
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/full", "x");
    world w(around);
    const auto begun = around.clock->steady_now();
    w.transport().next_fault = [&](const request& what) {
        if (what.url.find("full") != std::string::npos && around.clock->steady_now() - begun < 24h) {
            around.answers = {fake_transport::respond(status)};
        }
        return fault();
    };
    for (int i = 0; i < refused; ++i) {
        w.add(put_job("refused" + std::to_string(i), {"/full"}));
    }
    for (int i = 0; i < 20; ++i) {
        w.add(put_job("good" + std::to_string(i), {"/a"}));
    }
    w.start();
    w.until([&] { return w.now()->overall()[status::completed].jobs == 20; });
    CHECK(around.clock->steady_now() - begun < 3h);
    CHECK(w.now()->overall().finished() == 20);
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 20U + static_cast<unsigned>(refused));
    CHECK(around.clock->steady_now() - begun < 26h);
}

TEST_CASE("a large body that is cut again and again is the job's own trouble: it is not sent for days") {
    surroundings around;
    around.files->write("/a", std::string(3'000'000, 'x'));
    world w(around);
    w.transport().next_fault = [&](const request&) { return fault{fault::kind::cut, 2'000'000}; };
    w.add(put_job("one", {"/a"}));
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::failed);
    CHECK(w.at("one").attempt == 12);
    CHECK(w.at("one").error.code == errc::connection_lost);
}

TEST_CASE("jobs keep their order, but for a few, over days in which their host refuses all") {
    const int how = GENERATE(0, 502, 503, 429);
    CAPTURE(how);
    surroundings around;
    std::vector<std::string> in_order;
    world w(around);
    const auto begun = around.clock->steady_now();
    w.transport().next_fault = [&](const request&) {
        const bool away = around.clock->steady_now() - begun < 48h;
        if (away && how != 0) {
            around.answers = {fake_transport::respond(how)};
        }
        return away && how == 0 ? fault{fault::kind::cut, 0} : fault();
    };
    for (int i = 10; i < 60; ++i) {
        const std::string path = "/" + std::to_string(i);
        around.files->write(path, "x");
        w.add(put_job("job" + std::to_string(i), {path}));
    }
    w.start();
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 50);
    std::vector<std::string> arrived;
    for (const received_request& r : around.requests) {
        if (around.objects.contains(r.url) && r.whole) {
            std::erase(arrived, r.url);
            arrived.push_back(r.url);
        }
    }
    int out_of_order = 0;
    for (std::size_t i = 1; i < arrived.size(); ++i) {
        out_of_order += arrived[i] < arrived[i - 1] ? 1 : 0;
    }
    CHECK(out_of_order <= 9);
}

TEST_CASE("a server that answers 500 to everybody for a day ends no job") {
    surroundings around;
    around.files->write("/a", "x");
    world w(around);
    const auto begun = around.clock->steady_now();
    int asked = 0;
    w.transport().next_fault = [&](const request&) {
        if (around.clock->steady_now() - begun < 24h) {
            ++asked;
            around.answers.push_back(fake_transport::respond(500));
        }
        return fault();
    };
    add_jobs(w, 20, 1);
    w.start();
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 20);
    CHECK(asked < 24 * 60);
}

TEST_CASE("a target that somebody has locked holds up nobody else") {
    surroundings around;
    around.files->write("/a", "x");
    around.files->write("/locked", "x");
    world w(around, [](options& o) { o.retry.attempts = 2; });
    const auto begun = around.clock->steady_now();
    w.transport().next_fault = [&](const request& what) {
        if (what.url.find("locked") != std::string::npos && around.clock->steady_now() - begun < 10h) {
            around.answers = {fake_transport::respond(423)};
        }
        return fault();
    };
    w.add(put_job("one", {"/locked"}));
    w.add(put_job("two", {"/a"}));
    w.start();
    w.until([&] { return w.at("two").status == status::completed; });
    CHECK(w.at("one").reason == wait_reason::locked);
    CHECK(around.clock->steady_now() - begun < 10s);
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("credentials that were refused are tried rarely, and other ones at once") {
    surroundings around;
    around.files->write("/a", "x");
    std::string token = "stale";
    world w(around, [&](options& o) {
        o.credentials = [&token](const std::string&) {
            header_list h;
            h.push_back({"Authorization", "Bearer " + token});
            return h;
        };
    });
    int refused = 0;
    w.transport().next_fault = [&](const request& what) {
        if (single_header(what.headers, "Authorization") != "Bearer fresh") {
            ++refused;
            around.answers.push_back(fake_transport::respond(401));
        }
        return fault();
    };
    add_jobs(w, 20, 5);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until([&] { return around.clock->steady_now() - begun > 24h; });
    CHECK(refused >= 10);
    CHECK(refused <= 4 + 60);
    CHECK(w.now()->overall().finished() == 0);
    token = "fresh";
    const auto changed = around.clock->steady_now();
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 20);
    CHECK(around.clock->steady_now() - changed < 30s);
}

TEST_CASE("a credentials provider that fails, or gives what cannot be sent, holds its jobs up and ends none") {
    const bool throws = GENERATE(true, false);
    surroundings around;
    around.files->write("/a", "x");
    bool healed = false;
    world w(around, [&](options& o) {
        o.credentials = [&healed, throws](const std::string&) -> header_list {
            header_list h;
            if (!healed && throws) {
                throw std::runtime_error("token server down");
            }
            h.push_back({"Authorization", healed ? "Bearer good" : "Bearer secret\r"});
            return h;
        };
    });
    add_jobs(w, 3, 3);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until([&] { return around.clock->steady_now() - begun > 20min; });
    CHECK(around.requests.empty());
    CHECK(w.now()->overall().finished() == 0);
    for (const auto& job : w.now()->jobs()) {
        CHECK(job->reason == wait_reason::credentials);
        CHECK_THAT(job->error.message(), Catch::Contains("credentials provider"));
        CHECK(job->error.message().find("secret") == std::string::npos);
    }
    healed = true;
    const auto changed = around.clock->steady_now();
    w.until_idle();
    CHECK(w.now()->overall()[status::completed].jobs == 3);
    CHECK(around.clock->steady_now() - changed < 30s);
}

TEST_CASE("credentials that were put right while the app was closed are tried at its start") {
    surroundings around;
    around.files->write("/a", "x");
    around.answers = {fake_transport::respond(401)};
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until([&] { return w.at("one").status == status::waiting; });
        CHECK(w.at("one").reason == wait_reason::credentials);
        w.run(w.up().async_stop());
    }
    world w(around);
    w.start();
    w.settle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("one item that is refused among many says nothing of the host") {
    surroundings around;
    around.files->write("/a", "x");
    std::vector<std::string> many;
    for (int i = 0; i < 60; ++i) {
        many.push_back("/f" + std::to_string(i));
        around.files->write(many.back(), "x");
    }
    world w(around);
    int requests = 0;
    w.transport().next_fault = [&](const request&) {
        around.answers = {fake_transport::respond(++requests % 8 == 0 ? 503 : 200)};
        return fault();
    };
    w.add(put_job("one", many));
    w.start();
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
    CHECK(around.clock->steady_now() - begun < 1min);
}

TEST_CASE("neither a clock that is put right nor a machine that was off makes a job too old") {
    surroundings around;
    around.files->write("/a", "x");
    const auto failing = [](world& w) {
        w.start();
        w.settle();
        w.until([&] { return w.at("one").status == status::waiting; });
        w.run(w.up().async_stop());
    };
    around.faults.assign(30, fault{fault::kind::cut, 0});
    std::chrono::hours jump(0);
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        failing(w);
    }
    for (const auto by : {24h * 365 * 56, -24h * 365 * 20, 24h * 30, 24h * 8}) {
        around.clock->jump(by);
        world w(around);
        failing(w);
        jump += by;
    }
    around.faults.clear();
    world w(around);
    w.start();
    w.until_idle();
    CHECK(w.at("one").status == status::completed);
}

TEST_CASE("a clock that is put right does not make the store forget what was delivered") {
    surroundings around;
    around.files->write("/a", "x");
    around.clock->jump(-24h * 365 * 25);
    {
        world w(around);
        w.start();
        w.add(form_job("photo", {"/a"}));
        w.until_idle();
        around.clock->jump(24h * 365 * 25);
        around.clock->advance(2h);
        w.add(put_job("other", {"/a"}));
        w.until_idle();
        w.run(w.up().async_stop());
    }
    around.clock->jump(24h * 365 * 10);
    world w(around);
    w.start();
    w.add(form_job("photo", {"/a"}));
    w.until_idle();
    const std::vector<std::string> urls = around.urls();
    CHECK(std::count(urls.begin(), urls.end(), "http://server.test/posts") == 1);
}

TEST_CASE("a wait is never longer than it was when it began, whatever becomes of the clock") {
    surroundings around;
    around.files->write("/a", "x");
    response busy = fake_transport::respond(503);
    busy.headers.push_back({"Retry-After", "3"});
    around.answers = {busy};
    around.clock->jump(24h * 400);
    {
        world w(around);
        w.add(put_job("one", {"/a"}));
        w.start();
        w.until([&] { return w.at("one").status == status::waiting; });
        w.run(w.up().async_stop());
    }
    around.clock->jump(-24h * 400);
    world w(around);
    w.start();
    const auto begun = around.clock->steady_now();
    w.until_idle();
    CHECK(around.clock->steady_now() - begun < 5s);
}
