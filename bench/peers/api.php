<?php
declare(strict_types=1);

/** The FocusStats API over PDO. FOCUS_DSN picks the database (sqlite: or mysql:). */

const NO_ROW = 0;

final class Refused extends Exception {}

final class FocusStats
{
    public function __construct(private PDO $db) {}

    public static function connect(string $dsn): self
    {
        $db = new PDO($dsn, getenv('FOCUS_DB_USER'), null, [
            PDO::ATTR_PERSISTENT => true,
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_TIMEOUT => 10,
        ]);
        if (str_starts_with($dsn, 'sqlite:')) {
            $db->exec('PRAGMA synchronous=FULL');
        }
        return new self($db);
    }

    public function initUser(array $in): array
    {
        $id = self::uuidv7();
        try {
            $this->run('INSERT INTO focus_stats(uuid, user) VALUES(?, ?)', [$id, $in['user']]);
        } catch (PDOException $e) {
            if ($e->getCode() !== '23000') {
                throw $e;
            }
            throw new Refused("User {$in['user']} already has FocusStats initialized.");
        }
        return ['focusStats' => $id];
    }

    public function startSession(array $in): array
    {
        $id = self::uuidv7();
        $added = $this->run(
            'INSERT INTO focus_sessions(uuid, stats, document, library, start_time)
             SELECT ?, id, ?, ?, ? FROM focus_stats WHERE user = ?',
            [$id, $in['document'], $in['library'], self::now(), $in['user']]
        )->rowCount();
        if ($added === NO_ROW) {
            throw new Refused("User {$in['user']} does not have FocusStats initialized.");
        }
        return ['focusSession' => $id];
    }

    public function endSession(array $in): array
    {
        $id = $in['focusSession'];
        $ended = $this->run(
            'UPDATE focus_sessions SET end_time = ? WHERE uuid = ? AND end_time IS NULL',
            [self::now(), $id]
        )->rowCount();
        if ($ended === NO_ROW) {
            $known = $this->run('SELECT 1 FROM focus_sessions WHERE uuid = ?', [$id])->fetchColumn();
            throw new Refused($known === false
                ? "FocusSession $id not found." : "FocusSession $id has already ended.");
        }
        return ['focusSession' => $id];
    }

    public function removeSession(array $in): array
    {
        $id = $in['focusSession'];
        if ($this->run('DELETE FROM focus_sessions WHERE uuid = ?', [$id])->rowCount() === NO_ROW) {
            throw new Refused("FocusSession $id not found.");
        }
        return [];
    }

    public function _viewStats(array $in): array
    {
        $stats = $this->run('SELECT id, uuid FROM focus_stats WHERE user = ?', [$in['user']])->fetch();
        if ($stats === false) {
            return [];
        }
        $ended = $this->run(
            'SELECT uuid FROM focus_sessions WHERE stats = ? AND end_time IS NOT NULL ORDER BY end_time',
            [$stats['id']]
        )->fetchAll(PDO::FETCH_COLUMN);
        return [['focusStats' => [
            'id' => $stats['uuid'], 'user' => $in['user'], 'focusSessionIds' => $ended,
        ]]];
    }

    public function _getSessions(array $in): array
    {
        $rows = $this->run(
            'SELECT s.uuid, s.document, s.start_time, s.end_time
             FROM focus_sessions s JOIN focus_stats f ON f.id = s.stats
             WHERE f.user = ? ORDER BY s.id',
            [$in['user']]
        );
        $out = [];
        foreach ($rows as $row) {
            $out[] = ['focusSession' => [
                '_id' => $row['uuid'],
                'user' => $in['user'],
                'document' => $row['document'],
                'startTime' => self::iso((int) $row['start_time']),
                'endTime' => $row['end_time'] === null ? null : self::iso((int) $row['end_time']),
            ]];
        }
        return $out;
    }

    private function run(string $sql, array $values): PDOStatement
    {
        $statement = $this->db->prepare($sql);
        $statement->execute($values);
        return $statement;
    }

    private static function now(): int
    {
        return (int) (microtime(true) * 1000);
    }

    private static function iso(int $ms): string
    {
        return gmdate('Y-m-d\TH:i:s', intdiv($ms, 1000)) . sprintf('.%03dZ', $ms % 1000);
    }

    private static function uuidv7(): string
    {
        $hex = sprintf('%012x', self::now()) . bin2hex(random_bytes(10));
        $hex[12] = '7';
        $hex[16] = '89ab'[hexdec($hex[16]) & 3];
        return preg_replace('/^(.{8})(.{4})(.{4})(.{4})(.{12})$/', '$1-$2-$3-$4-$5', $hex);
    }
}

const INPUTS = [
    'initUser' => ['user'],
    'startSession' => ['user', 'document', 'library'],
    'endSession' => ['focusSession'],
    'removeSession' => ['focusSession'],
    '_viewStats' => ['user'],
    '_getSessions' => ['user'],
];

function answer(int $status, mixed $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
}

$action = basename($_SERVER['DOCUMENT_URI']);
$in = json_decode(file_get_contents('php://input'), true);
if (!isset(INPUTS[$action])) {
    answer(404, ['error' => 'Not found']);
    return;
}
foreach (INPUTS[$action] as $field) {
    if (!is_string($in[$field] ?? null)) {
        answer(400, ['error' => "Missing $field"]);
        return;
    }
}
try {
    $out = FocusStats::connect(getenv('FOCUS_DSN'))->$action($in);
    answer(200, $action === 'removeSession' ? (object) $out : $out);
} catch (Refused $e) {
    answer(200, ['error' => $e->getMessage()]);
}
