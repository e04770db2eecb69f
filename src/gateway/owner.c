/* Being the owner, or not; see owner.h. */
#include "gateway/owner.h"

#include "api/exposition.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
	PAUSE_MIN_US = 500,
	PAUSE_MAX_US = 16000,
	/* A look at the socket, then a wait for the lock: longer from time to time, not to lose the place in the queue. */
	LOCK_WAIT_MIN_MS = 4,
	LOCK_WAIT_MAX_MS = 512,
	/* A store that could not be opened is not tried again at once: recovery may be much work. */
	FAILURE_REST_MS = 500,
};

void owner_end_process(void *context, const char *what)
{
	(void)context;
	log_line("%s: this process ends, the next one recovers the store", what);
	_exit(EXIT_FATAL);
}

/* Open the store, once the lock is held. */
static enum status open_store(struct owner *owner, struct store **store, struct error *error)
{
	const struct store_options options = {
		.home = home_reach(&owner->home),
		.name = owner->home.path,
		.once = owner->options.once && !owner->options.job,
		.job = owner->options.job,
		.metrics = owner->metrics,
		.fatal = owner->options.fatal,
		.context = owner->options.context,
	};
	int64_t begun_ms = clock_boot_ms();

	if (home_check_links(&owner->home, error) != STATUS_OK)
		return error->status;
	/* Before recovery: relays then wait in the socket's queue and need not ask again and again. */
	if (!owner->options.once && home_listen(&owner->home, &owner->listener, error) != STATUS_OK)
		return error->status;
	if (store_open(&options, store, error) == STATUS_OK) {
		if (!owner->options.once)
			log_line("owner of %s since recovery (%lld ms)", owner->home.path,
				 (long long)(clock_boot_ms() - begun_ms));
		return STATUS_OK;
	}
	if (!owner->options.once) {
		home_unlisten(&owner->home);
		close(owner->listener);
		owner->listener = -1;
	}
	return error->status;
}

/* Become the owner if nobody is, or ceases to be within wait_ms. The caller has `taking`. STATUS_OK whether or not;
 * STATUS_UNAVAILABLE where the place is free and could not be taken. */
static enum status take_place(struct owner *owner, int wait_ms, struct error *error)
{
	struct store *store;
	bool taken;

	if (owner->failed_at_ms > 0 && clock_boot_ms() - owner->failed_at_ms < FAILURE_REST_MS) {
		*error = owner->failure;
		return error->status;
	}
	enum status status = home_lock(&owner->home, wait_ms, &taken, error);
	if (status == STATUS_OK && !taken)
		return STATUS_OK;
	if (status == STATUS_OK && (status = open_store(owner, &store, error)) != STATUS_OK)
		home_unlock(&owner->home);
	if (status != STATUS_OK) {
		owner->failed_at_ms = clock_boot_ms();
		owner->failure = *error;
		log_repeated("%s: %s", owner->home.path, error->detail);
		return status;
	}
	owner->failed_at_ms = 0;
	atomic_store(&owner->store, store);
	if (!owner->options.once)
		owner->options.listening(owner->options.context, owner->listener);
	return STATUS_OK;
}

enum status owner_init(struct owner *owner, const char *home, const struct owner_options *options, struct error *error)
{
	struct error ignored;

	*owner = (struct owner){.options = *options, .listener = -1};
	if (home_open(&owner->home, home, error) != STATUS_OK)
		return error->status;
	owner->metrics = metrics_open(owner->home.folder, owner->home.path, exposition_layout());
	pthread_mutex_init(&owner->mutex, NULL);
	pthread_cond_init(&owner->taken, NULL);
	relay_pool_init(&owner->relays);
	if (!options->once)
		take_place(owner, 0, &ignored); /* nobody else can be at it yet */
	return STATUS_OK;
}

/* least, twice that, and so on, but not over most. */
static int rising(unsigned attempt, int least, int most)
{
	return attempt < 16 && least << attempt < most ? least << attempt : most;
}

/* Wait a little, longer from time to time, never in step with others. */
static void pause_before(unsigned attempt)
{
	int most_us = rising(attempt, PAUSE_MIN_US, PAUSE_MAX_US);
	uint16_t chance = 0;

	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0)
		chance = 0x8000;
	long us = PAUSE_MIN_US + (long)most_us * chance / 0x10000;
	nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* Get `taking`, which another thread may have as long as recovery takes. False where the deadline comes first. */
static bool begin_taking(struct owner *owner, int64_t deadline_ms)
{
	const struct timespec until = clock_monotonic_in(deadline_ms - clock_boot_ms());
	int result = 0;

	pthread_mutex_lock(&owner->mutex);
	while (owner->taking && result != ETIMEDOUT)
		result = pthread_cond_clockwait(&owner->taken, &owner->mutex, CLOCK_MONOTONIC, &until);
	bool begun = !owner->taking;
	if (begun)
		owner->taking = true;
	pthread_mutex_unlock(&owner->mutex);
	return begun;
}

static void end_taking(struct owner *owner)
{
	pthread_mutex_lock(&owner->mutex);
	owner->taking = false;
	pthread_cond_signal(&owner->taken);
	pthread_mutex_unlock(&owner->mutex);
}

/* The store, if this process owns it. Waits while it is becoming the owner, but not beyond the deadline: its own socket
 * listens then, and nobody serves it yet. */
static struct store *own_store(struct owner *owner, int64_t deadline_ms)
{
	struct store *store = atomic_load(&owner->store);

	if (!store && begin_taking(owner, deadline_ms)) {
		store = atomic_load(&owner->store);
		end_taking(owner);
	}
	return store;
}

/* Nobody owns the store: become the owner, or wait for somebody else to, a while that rises with the attempts. */
static enum status try_to_take_place(struct owner *owner, unsigned attempt, int64_t deadline_ms, struct error *error)
{
	int64_t left_ms = deadline_ms - clock_boot_ms();
	int wait_ms = rising(attempt, LOCK_WAIT_MIN_MS, LOCK_WAIT_MAX_MS);
	int64_t begun_ms = clock_boot_ms();

	if (wait_ms > left_ms)
		wait_ms = left_ms > 0 ? (int)left_ms : 0;
	if (!begin_taking(owner, deadline_ms))
		return STATUS_OK;
	enum status status = atomic_load(&owner->store) ? STATUS_OK : take_place(owner, wait_ms, error);
	end_taking(owner);
	/* Where the lock could not be waited for, this must not become a loop without a pause. */
	if (status == STATUS_OK && !atomic_load(&owner->store) && clock_boot_ms() == begun_ms)
		pause_before(attempt);
	return status;
}

/* Say whether what failed may have been done all the same, by an owner whose answer was lost. */
static void say_whether_done(const struct call *call, struct error *error)
{
	size_t size = strlen(error->text);

	snprintf(error->text + size, sizeof error->text - size, "; the request %s",
		 call->repeated ? "may have been carried out" : "was not carried out");
}

/* Begin a write of one operation. False where it goes on in the store. */
static bool begin_write(struct store *store, const struct call *call, struct owner_write *write, struct error *error)
{
	if (call->action->prepare(call, &write->operation, error) != STATUS_OK)
		return true;
	write->pending.operation = &write->operation;
	write->pending.gate = call->gate;
	write->pending.error = error;
	store_submit(store, &write->pending);
	return false;
}

void owner_complete(const struct call *call, const struct owner_write *write, struct buffer *body, struct error *error)
{
	if (error->status == STATUS_OK)
		call->action->report(&write->operation, body);
	else if (error->status == STATUS_UNAVAILABLE)
		say_whether_done(call, error);
}

bool owner_execute(struct owner *owner, struct call *call, struct owner_write *write, struct buffer *body,
		   struct error *error)
{
	int64_t deadline_ms = clock_boot_ms() + owner->options.patience_ms;
	bool failed = false;

	for (unsigned attempt = 0; !failed; attempt++) {
		struct store *store = own_store(owner, deadline_ms);
		if (store) {
			error->status = STATUS_OK;
			if (write && call->action->prepare)
				return begin_write(store, call, write, error);
			error->status = action_carry_out(store, call, body, error);
			failed = error->status == STATUS_UNAVAILABLE;
			break;
		}
		enum relay_outcome outcome = relay_forward(&owner->home, owner->options.once ? NULL : &owner->relays,
							   call, deadline_ms, body, error);
		if (outcome == RELAY_ANSWERED)
			break;
		if (outcome == RELAY_UNKNOWN)
			call->repeated = true;
		bool leaving = atomic_load(&owner->leaving);
		if (leaving || clock_boot_ms() >= deadline_ms || (call->repeated && !call->action->repeatable)) {
			error_set(error, STATUS_UNAVAILABLE,
				  leaving ? "the service is shutting down"
					  : "the owner of the store did not answer in time");
			failed = true;
		} else if (outcome == RELAY_NO_OWNER) {
			failed = try_to_take_place(owner, attempt, deadline_ms, error) != STATUS_OK;
		} else {
			pause_before(attempt);
		}
	}
	if (failed)
		say_whether_done(call, error);
	return true;
}

void owner_leave(struct owner *owner)
{
	atomic_store(&owner->leaving, true);
	if (atomic_load(&owner->store) && !owner->options.once)
		home_unlisten(&owner->home);
}

void owner_destroy(struct owner *owner)
{
	struct store *store = atomic_load(&owner->store);

	if (store) {
		store_close(store);
		if (!owner->options.once)
			log_line("no longer the owner of %s", owner->home.path);
		home_unlock(&owner->home);
	}
	if (owner->listener >= 0)
		close(owner->listener);
	relay_pool_close(&owner->relays);
	pthread_cond_destroy(&owner->taken);
	pthread_mutex_destroy(&owner->mutex);
	metrics_close(owner->metrics);
	home_close(&owner->home);
}
