// SPDX-License-Identifier: BSL-1.0
//
// What the app of a simulation does.

#include "simulation/process.hpp"

#include <chrono>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace waybill::simulation {
namespace {

/// A protocol with settings that were drawn.
struct chosen {
    protocol_spec how;
    [[nodiscard]] protocol_spec spec() const { return how; }
};

}  // namespace

void simulation::act() {
    if (!how_.only && !jobs_.empty() && pauses_.chance(0.1)) {
        pause_or_resume(std::next(jobs_.begin(), static_cast<long>(pauses_.below(jobs_.size())))->second);
    }
    if (!how_.only && holds_.chance(0.04)) {
        hold_or_release();
    }
    if (random_.chance(0.3)) {
        reach_everything();
    }
    const std::uint64_t dice = random_.below(100);
    if (jobs_.empty() || (dice < 30 && jobs_.size() < 12)) {
        offer(random_.chance(0.2) ? 3 : 1);
    } else if (dice < 40) {
        offer_again(any_job());
    } else if (dice < 50) {
        cancel(any_job());
    } else if (dice < 68) {
        retry(any_job());
    } else if (dice < 80) {
        posted_job& job = any_job();
        if (stored(job.id) == status::unknown_outcome) {
            resolve(job, static_cast<resolution>(random_.below(3)));
        }
    } else if (dice < 88) {
        change_file(any_job());
    } else if (dice < 93) {
        jump();
    } else if (dice < 95) {
        full_writes_ = static_cast<int>(1 + random_.below(8));
        say("the disk is full for a while");
    } else if (dice < 98) {
        ask_to_stop();
    } else {
        say("cancels the run");
        process_->cancel_run();
    }
}

// Not out of what a clock can show.
void simulation::jump() {
    static const std::vector<int> hours = {-24 * 365, -1, 1, 24, 24 * 365 * 10};
    const std::chrono::hours by(hours[random_.below(hours.size())]);
    if (std::chrono::abs(jumped_ + by) < std::chrono::hours(24 * 365 * 50)) {
        jumped_ += by;
        clock_->jump(by);
        for (auto& [seq, whole] : disk_->jobs) {
            if (how_.planted == plant::wall_age) {
                whole.job.state.began -= by;
            }
        }
        if (how_.planted == plant::wall_forgets) {
            disk_->time.closed += std::max(by, std::chrono::hours(0));
        }
        say("the wall clock jumps by " + std::to_string(by.count()) + " hours");
    }
}

void simulation::make_job(const std::string& batch) {
    posted_job made;
    made.id = "job" + std::to_string(jobs_.size());
    made.policy = static_cast<on_unknown>(random_.below(3));
    made.batch = batch;
    made.host = random_.chance(0.3) ? "other.test" : "server.test";
    choose_way(made);
    for (std::uint64_t i = 0, most = 1 + random_.below(3); i < most; ++i) {
        made.paths.push_back("/" + made.id + "/" + std::to_string(i));
        files_.write(made.paths.back(), random_content());
    }
    // A backend can say of a form whether it is there, and of an item that is posted.
    const bool askable = made.is_form() || made.via == way::post || (made.via != way::put && made.paths.size() == 1);
    made.verified = !made.automatic && askable && random_.chance(0.2);
    made.append_only = random_.chance(0.2);
    made.independent = !made.is_form() && random_.chance(0.3);
    if (random_.chance(0.3)) {
        made.scope = random_.chance(0.5) ? fingerprint_scope::whole : fingerprint_scope::none;
    }
    std::string how = made.spec.name;
    for (const auto& [name, value] : made.spec.settings) {
        how += " " + name + "=" + value;
    }
    say(made.id + " goes by " + how + (made.verified ? ", verified" : "") + ", if unknown " +
        std::to_string(static_cast<int>(made.policy)));
    jobs_.emplace(made.id, made);
}

void simulation::choose_way(posted_job& made) {
    const std::uint64_t dice = random_.below(100);
    made.via = dice < 9    ? way::put
               : dice < 18 ? way::post
               : dice < 40 ? way::form
               : dice < 58 ? way::tus
               : dice < 74 ? way::resumable
               : dice < 82 ? way::resumable_form
                           : way::s3;
    made.via = how_.only.value_or(made.via);
    made.conditional = random_.chance(0.3);
    made.shows = static_cast<int>(random_.below(3));
    made.deaf = random_.chance(0.15) ? static_cast<int>(1 + random_.below(2)) : 0;
    const bool may_ask = made.via == way::put || made.via == way::tus || made.via == way::resumable;
    made.automatic = may_ask && random_.chance(0.2);
    if (made.automatic) {
        made.spec = automatic().spec();
        return;
    }
    const auto sometimes = [&](const char* name, const std::string& value) {
        if (random_.chance(0.3)) {
            made.spec.settings.emplace_back(name, value);
        }
    };
    const std::string chunk = std::to_string(500 + random_.below(3000));
    const std::string digest = random_.chance(0.5) ? "crc32c" : "sha-256";
    switch (made.via) {
        case way::put: made.spec = put{}.parallel(1 + random_.below(3)).spec(); break;
        case way::post: made.spec = put{}.method(random_.chance(0.7) ? "POST" : "PATCH").spec(); break;
        case way::form: made.spec = multipart{}.spec(); break;
        case way::tus:
            made.spec = tus{}.spec();
            sometimes("chunk-size", chunk);
            sometimes("create-with-upload", "1");
            sometimes("defer-length", "1");
            sometimes("parallel", std::to_string(2 + random_.below(2)));
            sometimes("digest", digest);
            break;
        case way::s3:
            made.spec = s3{}.spec();
            made.spec.settings.emplace_back("part-size", chunk);
            if (random_.chance(0.3)) {
                static const std::vector<int> no_lists = {405, 501, 404, 400, 403, 200};
                made.list_status = no_lists[random_.below(no_lists.size())];
            }
            made.gone_code = random_.chance(0.6) ? "NoSuchUpload" : random_.chance(0.5) ? "NoSuchKey" : "";
            sometimes("parallel", std::to_string(1 + random_.below(5)));
            if (random_.chance(0.5)) {
                sometimes("checksum", random_.chance(0.5) ? "crc32c" : "sha256");
            } else {
                sometimes("digest", "crc32c");
            }
            break;
        default:
            made.spec = made.is_form() ? resumable{}.as_form().spec() : resumable{}.spec();
            sometimes("chunk-size", chunk);
            sometimes("creation", "optimistic");
            sometimes("digest", digest);
            break;
    }
}

job simulation::built(const posted_job& from) const {
    job j(from.url());
    j.id(job_id(from.id)).if_unknown(from.policy);
    j.via(chosen{from.spec});
    if (from.verified) {
        j.verify_with("backend");
    }
    if (from.conditional) {
        j.header("If-None-Match", "*");
    }
    j.lane(from.lane(), how_.planted == plant::lane_waits ? lane_order::strict : lane_order::by_origin);
    j.if_item_fails(from.independent ? on_item_failure::go_on : on_item_failure::stop);
    for (const std::string& path : from.paths) {
        item one = item::file(path);
        if (from.append_only) {
            one.append_only();
        }
        if (from.scope) {
            one.fingerprint(*from.scope);
        }
        j.add(std::move(one));
    }
    return j;
}

void simulation::offer(std::size_t how_many) {
    const std::string batch = how_many > 1 ? "batch" + std::to_string(jobs_.size()) : "";
    std::vector<job> offered;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < how_many; ++i) {
        make_job(batch);
        names.push_back("job" + std::to_string(jobs_.size() - 1));
        offered.push_back(built(jobs_.at(names.back())));
    }
    say("offers " + std::to_string(how_many) + ", the first is " + names.front());
    auto heard = [this, names](std::error_code ec, const std::vector<job_id>&) {
        for (const std::string& name : names) {
            jobs_.at(name).accepted = jobs_.at(name).accepted || !ec;
            say(name + (ec ? " is refused: " + ec.message() : " is accepted"));
        }
    };
    process_->up().async_enqueue(std::move(offered), process_->impatient(patience(), std::move(heard)));
}

void simulation::offer_again(posted_job& job) {
    if (!job.batch.empty()) {
        return;  // alone it would be another offer
    }
    say("offers " + job.id + " again");
    auto heard = [this, &job](std::error_code ec, const job_id&) {
        job.accepted = job.accepted || !ec;
        say(job.id + (ec ? " is refused again: " + ec.message() : " is accepted again"));
    };
    process_->up().async_enqueue(built(job), process_->impatient(patience(), std::move(heard)));
}

void simulation::cancel(posted_job& job) {
    say("cancels " + job.id);
    auto heard = [this, &job](std::error_code ec) {
        // A retry that is still under way may come after it.
        job.cancel_confirmed = !ec && job.unanswered == 0;
        say(job.id + (ec ? " cannot be canceled" : " is canceled"));
    };
    process_->up().async_cancel(job_id(job.id), process_->impatient(patience(), std::move(heard)));
}

void simulation::retry(posted_job& job) {
    say("retries " + job.id);
    for (auto& [seq, whole] : disk_->jobs) {
        if (how_.planted == plant::doubt_lost && whole.job.spec.id.str() == job.id &&
            whole.job.state.status == status::waiting) {
            whole.job.state.intent.settle();
        }
    }
    job.cancel_confirmed = job.pause_confirmed = false;
    ++job.unanswered;
    auto heard = [&job](std::error_code) { --job.unanswered; };
    process_->up().async_retry(job_id(job.id), process_->impatient(patience(), heard));
}

void simulation::resolve(posted_job& job, resolution what) {
    say("decides about " + job.id + ": " + std::to_string(static_cast<int>(what)));
    job.said_completed = job.said_completed || what == resolution::completed;
    job.cancel_confirmed = job.pause_confirmed = false;
    ++job.unanswered;
    auto heard = [&job](std::error_code) { --job.unanswered; };
    process_->up().async_resolve(job_id(job.id), what, process_->impatient(patience(), heard));
}

void simulation::pause_or_resume(posted_job& job) {
    if (pauses_.chance(0.4)) {
        resume(job);
        return;
    }
    const bool for_a_time = pauses_.chance(0.4);
    say("pauses " + job.id + (for_a_time ? " for a time" : ""));
    pause_options how;
    if (for_a_time) {
        how.lasting(std::chrono::seconds(1 + pauses_.below(3600))).why("a while");
    }
    job.pause_confirmed = false;
    const int asked = ++job.pauses_asked;
    auto heard = [this, &job, for_a_time, asked](std::error_code ec) {
        job.pause_confirmed = !ec && !for_a_time && job.unanswered == 0 && job.pauses_asked == asked;
        say(job.id + (ec ? " cannot be paused" : " is paused"));
    };
    process_->up().async_pause(job_id(job.id), how, process_->impatient(patience(), std::move(heard)));
}

void simulation::resume(posted_job& job) {
    say("resumes " + job.id);
    job.pause_confirmed = false;
    ++job.pauses_asked;
    process_->up().async_resume(job_id(job.id), process_->impatient(patience(), [](std::error_code) {}));
}

void simulation::resume_all() {
    for (auto& [id, job] : jobs_) {
        if (stored(id) == status::paused) {
            resume(job);
        }
    }
}

// A pause for a time ends by itself, whatever the clocks do and however often the process is restarted.
void simulation::require_timely_ends_of_pauses() {
    std::set<std::string> for_a_time;
    for (const auto& [seq, whole] : disk_->jobs) {
        if (whole.job.state.status == status::paused && whole.job.state.pause.why == "a while") {
            for_a_time.insert(whole.job.spec.id.str());
        }
    }
    const auto begun = clock_->steady_now();
    while (!for_a_time.empty() && clock_->steady_now() - begun < std::chrono::hours(2)) {
        go_on();
        if (!turn() && !clock_->advance_to_next()) {
            break;
        }
        std::erase_if(for_a_time, [this](const std::string& id) { return stored(id) != status::paused; });
    }
    if (!for_a_time.empty()) {
        throw broken(*for_a_time.begin() + ": is paused beyond its time");
    }
    rest("after the pauses ended");
}

// Only for the bugs that lose pauses, or their ends.
void simulation::lose_pauses() {
    for (auto& [seq, whole] : disk_->jobs) {
        job_state& state = whole.job.state;
        if (how_.planted == plant::pause_lost && state.status == status::paused) {
            state.status = status::pending;
            state.reason = wait_reason::none;
            state.pause = {};
        }
        if (how_.planted == plant::pause_for_ever) {
            state.pause.lasting = {};
        }
    }
}

void simulation::change_file(posted_job& job) {
    const std::string& path = job.paths[random_.below(job.paths.size())];
    const testing::memory_files::entry* const now = files_.now(path);
    if (now == nullptr || random_.chance(0.4)) {
        replace_file(path);
        return;
    }
    // Nobody writes over a log; of other files a sample may miss it.
    const std::uint64_t what = random_.below(4);
    switch (job.append_only && what == 2 ? 4 : what) {
        case 0:
            say("touches " + path);
            files_.files->touch(path);
            break;
        case 1:
            say("mounts " + path + " anew");
            files_.files->remount(path);
            break;
        case 2: {
            say("edits " + path + " and puts its time back");
            job.edited_unseen.insert(path);
            std::string edited = now->content;
            for (int i = 0; i < 4 && !edited.empty(); ++i) {  // few, so that a sample may miss them all
                edited[random_.below(edited.size())] = '#';
            }
            files_.files->replace_unseen(path, std::move(edited));
            break;
        }
        case 3:
            say(path + " cannot be reached for a while");
            files_.files->set_reachable(path, false);
            unreachable_.insert(path);
            break;
        default:
            say("writes on in " + path);
            files_.files->append(path, random_content());
            break;
    }
    files_.note(path);
}

void simulation::replace_file(const std::string& path) {
    say("changes " + path);
    const testing::memory_files::entry* const now = files_.now(path);
    const std::string before = now != nullptr ? now->content : "";  // it was gone; now it is back
    if (random_.chance(0.15)) {
        files_.files->remove(path);
    } else if (!unreachable_.contains(path)) {
        files_.write(path, random_.chance(0.4) ? before + random_content() : random_content());
    }
}

void simulation::reach_everything() {
    for (const std::string& path : std::exchange(unreachable_, {})) {
        files_.files->set_reachable(path, true);
    }
}

// Most operations are waited for. What an impatient app asked for may have happened all the same.
int simulation::patience() {
    return !server_.healed && patience_.chance(0.2) ? static_cast<int>(patience_.below(12)) : -1;
}

posted_job& simulation::any_job() {
    return std::next(jobs_.begin(), static_cast<long>(random_.below(jobs_.size())))->second;
}

std::optional<status> simulation::stored(const std::string& id) const {
    for (const auto& [seq, whole] : disk_->jobs) {
        if (whole.job.spec.id.str() == id) {
            return whole.job.state.status;
        }
    }
    return std::nullopt;
}

std::string simulation::random_content() {
    std::size_t size = 0;
    switch (random_.below(4)) {
        case 0: size = random_.below(3); break;
        case 1: size = 1 + random_.below(900); break;
        default: size = 1 + random_.below(5000); break;
    }
    return random_.text(size);
}

}  // namespace waybill::simulation
