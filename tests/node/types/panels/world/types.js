// What room/world tells: who and what there is.

/**
 * @import { Chat, User } from "../../types.js"
 *
 * @typedef {User & { language_code?: string, has_blocked: boolean, is_deleted: boolean }} Person
 * @typedef {Record<string, unknown> & { user: User, status: string, is_anonymous?: boolean }} Member a ChatMember, with its rights
 * @typedef {Chat & { members: Member[], permissions: string[], slow_mode: number, successor: number | null,
 *   topics: { id: number, name: string, closed: boolean }[] }} Group a group or channel
 * @typedef {{ bot: User, privacy: boolean, people: Person[], chats: Group[], rights: Record<string, string[]>,
 *   permissions: string[] }} World
 */

export {};
