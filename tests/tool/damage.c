/* Changes single records of a database behind the program's back, as a fault of the program would: the log knows of it, the other databases
 * do not.
 *
 *   damage HOME FILE put KEY VALUE        keys and values in hexadecimal
 *   damage HOME FILE del KEY…
 */
#include <db.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 65536 };

static DBT read_hex(const char *text)
{
	unsigned char *bytes = malloc(BYTES_MAX);
	u_int32_t size = 0;
	unsigned value;

	for (; bytes && size < BYTES_MAX && sscanf(text, "%2x", &value) == 1; text += 2)
		bytes[size++] = (unsigned char)value;
	return (DBT){.data = bytes, .size = size};
}

static int change(DB *db, char **arguments)
{
	DBT value = read_hex(arguments[2] ? arguments[2] : "");
	bool put = strcmp(arguments[0], "put") == 0;
	int result = 0;

	for (char **hex = arguments + 1; result == 0 && *hex; hex++) {
		DBT key = read_hex(*hex);
		result = put ? db->put(db, NULL, &key, &value, 0) : db->del(db, NULL, &key, 0);
		free(key.data);
		if (put)
			break;
	}
	free(value.data);
	return result;
}

static int change_in(DB_ENV *env, const char *file, char **arguments)
{
	DB *db;

	int result = db_create(&db, env, 0);
	if (result != 0)
		return result;
	if ((result = db->open(db, NULL, file, NULL, DB_UNKNOWN, DB_AUTO_COMMIT, 0)) == 0)
		result = change(db, arguments);
	int closed = db->close(db, 0);
	return result != 0 ? result : closed;
}

int main(int argc, char **argv)
{
	enum { FLAGS = DB_CREATE | DB_PRIVATE | DB_RECOVER | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN | DB_INIT_LOCK };
	DB_ENV *env;

	if (argc < 5 || db_env_create(&env, 0) != 0)
		return 2;
	int result = env->set_lg_max(env, 1 << 20);
	if (result == 0 && (result = env->open(env, argv[1], FLAGS, 0600)) == 0 &&
	    (result = change_in(env, argv[2], argv + 3)) == 0)
		result = env->txn_checkpoint(env, 0, 0, 0);
	int closed = env->close(env, 0);
	if (result != 0)
		fprintf(stderr, "damage: %s: %s\n", argv[2], db_strerror(result));
	return result != 0 || closed != 0;
}
