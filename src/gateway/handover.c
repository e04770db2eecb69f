/* Handing a listener over to the owner; see handover.h. */
#include "config.h"

#include "gateway/handover.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REFUSED_REST_MS = 2000, /* until it is tried again: there may be another owner */
	ANSWER_MS = 500,        /* that an owner may take for a byte */
	DESCRIPTORS_LOOKED_AT = 4,
};

/* What both sides compare: all of the settings by which exchange_policy goes. A text has its length before it, so that no two lists of
 * texts look alike. The first byte is not FCGI_VERSION_1. */
static size_t describe(const struct config *config, char message[HANDOVER_MESSAGE_BYTES])
{
	int size = snprintf(message, HANDOVER_MESSAGE_BYTES,
			    "FocusStats listener %s auth=%d any_host=%d error_status=%d max_body=%zu admins=%zu:%.*s "
			    "origins=%zu:%.*s hosts=%zu:%.*s",
			    PACKAGE_VERSION, config->auth_required, config->any_host, config->refusals_as_200,
			    config->max_body_bytes, config->admins.size, (int)config->admins.size,
			    config->admins.size ? config->admins.data : "", config->origins.size,
			    (int)config->origins.size, config->origins.size ? config->origins.data : "",
			    config->hosts.size, (int)config->hosts.size, config->hosts.size ? config->hosts.data : "");

	return size > 0 && size < HANDOVER_MESSAGE_BYTES ? (size_t)size : 0;
}

void handover_init(struct handover *handover, struct poller *poller, const struct home *home,
		   const struct config *config)
{
	*handover = (struct handover){.poller = poller, .home = home, .owner = -1};
	handover->message_size = describe(config, handover->message);
	pthread_mutex_init(&handover->mutex, NULL);
}

void handover_destroy(struct handover *handover)
{
	pthread_mutex_destroy(&handover->mutex);
}

/* In front. Where accepting again fails, which takes a lack of memory, the next look tries it again. */
static void accept_again(struct handover *handover)
{
	handover->deaf = !handover->leaving && !poller_listen(handover->poller, STDIN_FILENO, false);
	if (handover->deaf)
		log_repeated("cannot watch descriptor 0: %s", strerror(errno));
}

/* In front: the owner has ended or is leaving, does not want the listener, or stands still. */
static void leave_owner(struct handover *handover)
{
	close(handover->owner);
	handover->owner = -1;
	handover->asked_at_ms = 0;
	if (!handover->wanted)
		handover->rest_end_ms = clock_boot_ms() + REFUSED_REST_MS;
	accept_again(handover);
}

/* Say that this process works, or ask whether the other one does. The few bytes surely have room, or else nobody reads them. */
static bool say(int connection, char byte)
{
	return send(connection, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* Send the message, with descriptor 0 at its first byte. */
static bool send_listener(struct handover *handover)
{
	static const int listener = STDIN_FILENO;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof listener)];
	} control = {0};
	struct iovec part = {.iov_base = handover->message, .iov_len = handover->message_size};
	const struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space,
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof listener);
	memcpy(CMSG_DATA(&control.header), &listener, sizeof listener);
	return sendmsg(handover->owner, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)handover->message_size;
}

void handover_offer(struct handover *handover)
{
	int connection;

	pthread_mutex_lock(&handover->mutex);
	if (handover->owner < 0 && !handover->leaving && handover->message_size > 0 &&
	    clock_boot_ms() >= handover->rest_end_ms && home_connect(handover->home, &connection) == 0) {
		poller_unlisten(handover->poller, STDIN_FILENO);
		handover->owner = connection;
		handover->wanted = false;
		handover->asked_at_ms = clock_boot_ms();
		if (!send_listener(handover) || !poller_watch(handover->poller, connection))
			leave_owner(handover);
	}
	pthread_mutex_unlock(&handover->mutex);
}

/* What has come on a connection: its bytes do not matter. */
enum heard { HEARD_NOTHING, HEARD_SOMETHING, HEARD_END };

static enum heard hear(int connection)
{
	char bytes[64];
	ssize_t got = recv(connection, bytes, sizeof bytes, MSG_DONTWAIT);

	if (got > 0)
		return HEARD_SOMETHING;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? HEARD_NOTHING : HEARD_END;
}

static void hear_owner(struct handover *handover)
{
	enum heard heard = hear(handover->owner);

	if (heard == HEARD_END) {
		leave_owner(handover);
	} else if (heard == HEARD_SOMETHING) {
		handover->asked_at_ms = 0;
		handover->wanted = true;
	}
}

static bool somebody_waits(void)
{
	struct pollfd listener = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&listener, 1, 0) > 0;
}

void handover_look(struct handover *handover)
{
	pthread_mutex_lock(&handover->mutex);
	if (handover->deaf)
		accept_again(handover);
	if (handover->asked_at_ms > 0)
		hear_owner(handover);
	if (handover->asked_at_ms > 0) {
		if (clock_boot_ms() - handover->asked_at_ms >= ANSWER_MS)
			leave_owner(handover);
	} else if (handover->owner >= 0 && somebody_waits()) {
		handover->asked_at_ms = clock_boot_ms();
		if (!say(handover->owner, '?'))
			leave_owner(handover);
	}
	pthread_mutex_unlock(&handover->mutex);
}

bool handover_is_offer(int connection)
{
	unsigned char first;

	return recv(connection, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && first != FCGI_VERSION_1;
}

static bool is_listener(int descriptor)
{
	int type = 0, listens = 0;
	socklen_t size = sizeof type, other_size = sizeof listens;

	return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
	       getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &other_size) == 0 && listens != 0;
}

/* Take the message and the descriptor that comes with its first byte. Returns the descriptor; or -1 where the message is not the one of this
 * process' settings, and also where there are several descriptors or none, which are closed then. */
static int receive_listener(const struct handover *handover, int connection)
{
	char bytes[HANDOVER_MESSAGE_BYTES] = "";
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(DESCRIPTORS_LOOKED_AT * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space, /* what does not fit is closed by the kernel (unix(7)) */
	};
	int listener = -1;
	unsigned count = 0;

	ssize_t got = recvmsg(connection, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return -1;
	bool good = handover->message_size > 0 && (size_t)got == handover->message_size &&
		    memcmp(bytes, handover->message, handover->message_size) == 0 &&
		    (message.msg_flags & MSG_CTRUNC) == 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int), count++) {
			if (listener >= 0)
				close(listener);
			memcpy(&listener, (const char *)header + at, sizeof listener);
		}
	}
	if (listener >= 0 && (!good || count != 1 || !is_listener(listener))) {
		close(listener);
		listener = -1;
	}
	return listener;
}

/* Whether this process accepts from the socket already. */
static bool is_known(const struct handover *handover, const struct stat *socket)
{
	struct stat own;

	if (fstat(STDIN_FILENO, &own) != 0 || (own.st_dev == socket->st_dev && own.st_ino == socket->st_ino))
		return true;
	for (unsigned i = 0; i < handover->borrowed_count; i++)
		if (handover->borrowed[i].device == socket->st_dev && handover->borrowed[i].inode == socket->st_ino)
			return true;
	return false;
}

/* At the owner: take both into the poller, or neither. */
static bool borrow(struct handover *handover, int connection, int listener)
{
	struct stat socket;

	if (handover->leaving || fstat(listener, &socket) != 0 || is_known(handover, &socket) ||
	    !poller_borrow(handover->poller, listener))
		return false;
	if (!say(connection, '!') || !poller_watch(handover->poller, connection)) {
		poller_give_back(handover->poller, listener);
		return false;
	}
	handover->borrowed[handover->borrowed_count++] =
		(struct borrowed){connection, listener, socket.st_dev, socket.st_ino};
	return true;
}

static void drop(struct handover *handover, int connection)
{
	close(connection);
	poller_closed(handover->poller);
}

void handover_receive(struct handover *handover, int connection)
{
	int listener = receive_listener(handover, connection);

	pthread_mutex_lock(&handover->mutex);
	bool taken = listener >= 0 && borrow(handover, connection, listener);
	pthread_mutex_unlock(&handover->mutex);
	if (listener >= 0 && !taken)
		close(listener);
	if (!taken)
		drop(handover, connection);
}

static void give_back(struct handover *handover, unsigned number)
{
	struct borrowed *borrowed = &handover->borrowed[number];

	poller_give_back(handover->poller, borrowed->listener);
	if (!handover->leaving)
		poller_accept_waiting(handover->poller, borrowed->listener);
	close(borrowed->listener);
	drop(handover, borrowed->connection);
	*borrowed = handover->borrowed[--handover->borrowed_count];
}

void handover_hear(struct handover *handover, int connection)
{
	unsigned i = 0;

	pthread_mutex_lock(&handover->mutex);
	while (i < handover->borrowed_count && handover->borrowed[i].connection != connection)
		i++;
	/* Another worker may have come first, and closed it. */
	if (connection == handover->owner) {
		hear_owner(handover);
	} else if (i < handover->borrowed_count) {
		enum heard heard = hear(connection);
		if (heard == HEARD_END || (heard == HEARD_SOMETHING && !say(connection, '!')))
			give_back(handover, i);
	}
	pthread_mutex_unlock(&handover->mutex);
}

void handover_leave(struct handover *handover)
{
	pthread_mutex_lock(&handover->mutex);
	handover->leaving = true;
	if (handover->owner >= 0)
		leave_owner(handover);
	while (handover->borrowed_count > 0)
		give_back(handover, 0);
	pthread_mutex_unlock(&handover->mutex);
}
